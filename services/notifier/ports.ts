import type { DeadLetter } from '../../lib/codec/records.ts';
import type { PostAnswer } from '../../lib/http/http-post.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import type { Clock, Random } from '../../lib/runtime/clock.ts';
import type { Announcement, Message } from './core/outbox.ts';

/** What the worker of one sink touches of the outside. */
export interface SinkPorts {
  readonly incidents: PartitionLog;
  /** Where the sink's group got to; undefined when it has never been anywhere. */
  committedOffset(): Promise<number | undefined>;
  reportOffset(nextOffset: number): void;
  /** @throws what kept it from getting an answer. */
  post(message: Message, signal: AbortSignal): Promise<PostAnswer>;
  deadLetter(letter: DeadLetter): Promise<void>;
  sha256(bytes: Uint8Array): string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: SinkEvents;
}

export interface SinkEvents {
  started(firing: number, offset: number): void;
  received(announcements: number): void;
  foreignRecord(offset: number, why: string): void;
  delivered(message: Message, tookMs: number): void;
  failed(why: string, retryInMs: number): void;
  refused(why: string): void;
  tooOld(announcements: readonly Announcement[]): void;
  gap(from: number, to: number): void;
  lag(records: number, seconds: number): void;
  /** The worker begins anew. */
  broken(error: unknown, retryInMs: number): void;
  stopped(): void;
}
