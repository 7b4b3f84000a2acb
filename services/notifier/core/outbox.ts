import type { Incident } from '../../../lib/codec/incident-records.ts';

/** A record of the incidents topic. */
export interface Announcement {
  readonly incident: Incident;
  readonly offset: number;
  /** When it was appended, epoch milliseconds. */
  readonly appendMs: number;
}

/** What is to be sent next. */
export interface Message {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Incidents told of, for counting. */
  readonly incidents: number;
  /** The announcement that is lost with it when the receiver refuses it; undefined: nothing is. */
  readonly about: Announcement | undefined;
}

/** What one sink still has to be told, without input or output. Times are epoch milliseconds. */
export interface Outbox {
  /** An announcement from before the sink's position: it was dealt with, but is still the newest of its incident. */
  remember(incident: Incident): void;
  take(announcement: Announcement): void;
  /** False: deliver first, read later. */
  readonly wantsMore: boolean;
  /** The message to send now, if there is one; the same again until `settled`. Drops what is too old to be told. */
  next(nowMs: number): Message | undefined;
  /** The last message was delivered, or refused for good. */
  settled(nowMs: number): void;
  /** The topic was made anew: offsets so far mean nothing any more, what is to be told is told all the same. */
  forgetOffsets(): void;
  /** Announcements dropped for their age since the last call. */
  takeTooOld(): readonly Announcement[];
  /** Announcements before this offset need not be read again; undefined until one was taken. */
  readonly position: number | undefined;
}
