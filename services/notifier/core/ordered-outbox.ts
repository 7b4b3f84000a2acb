import type { Incident } from '../../../lib/codec/incident-records.ts';
import { isFiring, isFor } from './alertmanager.ts';
import type { Announcement, Message, Outbox } from './outbox.ts';
import type { Sink } from './sinks.ts';
import { isNewsForPeople, slackMessage } from './slack.ts';
import { webhookMessage } from './webhook.ts';

/** For sinks that are told of each announcement, one after the other, each at least once. */
export class OrderedOutbox implements Outbox {
  private readonly sink: Sink;
  private readonly options: { readonly ageMaxMs: number; readonly link: string };
  private readonly newest = new Map<string, Incident>();
  private waiting: Announcement[] = [];
  private tooOld: Announcement[] = [];
  private seen: number | undefined;

  constructor(sink: Sink, options: { ageMaxMs: number; link: string }) {
    this.sink = sink;
    this.options = options;
  }

  remember(incident: Incident): void {
    // What is over can only be reopened, and that is news anyway.
    if (isFiring(incident)) this.newest.set(incident.incidentId, incident);
    else this.newest.delete(incident.incidentId);
  }

  take(announcement: Announcement): void {
    const { incident, offset } = announcement;
    const before = this.newest.get(incident.incidentId);
    this.remember(incident);
    this.seen = offset + 1;
    if (!isFor(this.sink, incident)) return;
    if (this.sink.kind === 'slack' && !isNewsForPeople(incident, before)) return;
    this.waiting.push(announcement);
  }

  get wantsMore(): boolean {
    return this.waiting.length === 0;
  }

  next(nowMs: number): Message | undefined {
    for (;;) {
      const [first] = this.waiting;
      if (first === undefined) return undefined;
      if (nowMs - first.appendMs <= this.options.ageMaxMs) return this.messageOf(first, nowMs);
      this.tooOld.push(first);
      this.waiting.shift();
    }
  }

  settled(): void {
    this.waiting.shift();
  }

  forgetOffsets(): void {
    this.seen = undefined;
    this.waiting = this.waiting.map((announcement) => ({ ...announcement, offset: 0 }));
  }

  takeTooOld(): readonly Announcement[] {
    const taken = this.tooOld;
    this.tooOld = [];
    return taken;
  }

  get position(): number | undefined {
    return this.waiting[0]?.offset ?? this.seen;
  }

  private messageOf(announcement: Announcement, nowMs: number): Message {
    const { incident } = announcement;
    const { kind, secret } = this.sink;
    const signed =
      kind === 'webhook'
        ? webhookMessage(incident, secret, nowMs)
        : { headers: {}, body: slackMessage(incident, this.options.link) };
    return { path: '', ...signed, incidents: 1, about: announcement };
  }
}
