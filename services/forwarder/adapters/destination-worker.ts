import { hasCode } from '../../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../../lib/kafka/behind-loss.ts';
import type { FetchedRecords, LogRecord } from '../../../lib/kafka/types.ts';
import type { Backoff } from '../../../lib/runtime/backoff.ts';
import type { Worker } from '../../../lib/worker/partition-group.ts';
import { type Batch, BatchQueue, sealedTo, sealNote } from '../core/batch.ts';
import type { Destination } from '../core/destination.ts';
import type { Intake } from '../core/intake.ts';
import type { WorkerPorts } from '../ports.ts';
import type { Delivery } from './delivery.ts';

export interface DestinationWorkerSettings {
  readonly destination: Destination;
  readonly partition: number;
  readonly fetchBytesMax: number;
}

/**
 * Forwards one partition of the traces topic to one destination: the member of the destination's group that has the
 * partition. It reads no further than the batch that is being sent, and its position is behind what was taken, so that
 * nothing waits for a destination that is slow or gone but its own traces, in Kafka.
 */
export class DestinationWorker implements Worker {
  private readonly settings: DestinationWorkerSettings;
  private readonly ports: WorkerPorts;
  private readonly delivery: Delivery;
  private readonly createIntake: () => Intake;
  private readonly restarts: Backoff;
  private stopping = false;
  /** Set once the topic was made anew: the group's offset is of the one before until ours is committed. */
  private ownOffset: number | undefined;

  constructor(
    settings: DestinationWorkerSettings,
    ports: WorkerPorts,
    delivery: Delivery,
    createIntake: () => Intake,
    restarts: Backoff,
  ) {
    this.settings = settings;
    this.ports = ports;
    this.delivery = delivery;
    this.createIntake = createIntake;
    this.restarts = restarts;
  }

  stop(): void {
    this.stopping = true;
    this.delivery.stop();
  }

  async run(): Promise<void> {
    const { events, clock } = this.ports;
    const { partition } = this.settings;
    while (!this.stopping) {
      try {
        await this.follow();
      } catch (error) {
        if (this.stopping) break;
        if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) this.ownOffset = 0;
        const waitMs = this.restarts.nextMs();
        events.broken(partition, error, waitMs);
        for (let waited = 0; waited < waitMs && !this.stopping; waited += PAUSE_STEP_MS)
          await clock.sleep(PAUSE_STEP_MS);
      }
    }
    events.stopped(partition);
  }

  private async follow(): Promise<void> {
    const { ports, settings } = this;
    const { clock, events } = ports;
    const queue = new BatchQueue(settings.destination.batch);
    let { next, sealed } = await this.position();
    // From here on a crash goes on here, also when the group has not been anywhere before.
    this.report(next);
    events.started(settings.partition, next);
    const intake = this.createIntake();
    if (intake.learns) await this.learn(intake, next);
    while (!this.stopping) {
      const fetched = await this.fetch(next, queue.dueInMs(clock.monotonicMs()) ?? FETCH_WAIT_MS).catch((error) =>
        this.deliverRest(queue, error),
      );
      next = fetched.nextOffset;
      for (const record of fetched.records) this.take(intake, queue, record);
      events.received(fetched.records.length);
      this.restarts.reset();
      for (;;) {
        if (sealed !== undefined && next <= sealed) break;
        const batch = sealed === undefined ? queue.take(clock.monotonicMs()) : queue.takeTo(sealed);
        if (batch === undefined && sealed === undefined) break;
        sealed = undefined;
        if (batch === undefined) continue;
        await this.seal(batch);
        if (!(await this.deliver(batch))) return;
        this.report(queue.first?.offset ?? next);
      }
      if (queue.first === undefined) this.report(next);
      this.tellLag(
        fetched.lastStableOffset,
        queue.first ?? { offset: next, appendMs: fetched.records.at(-1)?.timestampMs },
      );
    }
  }

  /** `sealed`: the last offset of a batch that was on its way, if there was one. */
  private async position(): Promise<{ next: number; sealed: number | undefined }> {
    const { traces, committed: readCommitted, events } = this.ports;
    const { destination, partition } = this.settings;
    const { start, end } = await traces.bounds();
    const committed = this.ownOffset === undefined ? await readCommitted() : { offset: this.ownOffset, note: '' };
    if (committed === undefined) return { next: destination.startAt === 'start' ? start : end, sealed: undefined };
    const { offset, note } = committed;
    const sealed = sealedTo(note);
    if (offset >= start && offset <= end) {
      return { next: offset, sealed: sealed !== undefined && sealed >= offset && sealed < end ? sealed : undefined };
    }
    // Retention overtook the destination, or the topic was made anew.
    events.gap(partition, offset > end ? 0 : offset, start);
    return { next: start, sealed: undefined };
  }

  /**
   * Notes where a batch ends before it is sent, so that it is cut the same after a crash, for a receiver that knows it by
   * its id then. Others have no use for that.
   */
  private async seal(batch: Batch): Promise<void> {
    const [first] = batch;
    if (this.ports.sender.knowsBatches !== true || first === undefined) return;
    // Without the note it is sent all the same; after a crash it may then be there twice.
    await this.ports.commit(first.offset, sealNote(batch)).then(
      () => {
        this.ownOffset = undefined;
      },
      () => undefined,
    );
  }

  private async fetch(offset: number, maxWaitMs: number): Promise<FetchedRecords> {
    const { traces, events } = this.ports;
    const { partition, fetchBytesMax: maxBytes } = this.settings;
    const request = { maxBytes, maxWaitMs: Math.min(maxWaitMs, FETCH_WAIT_MS) };
    try {
      return await traces.fetch({ ...request, offset });
    } catch (error) {
      if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) throw error;
      const { from, start } = await lossBehind(error, traces, offset);
      events.gap(partition, from, start);
      return traces.fetch({ ...request, offset: start });
    }
  }

  /** What the destination was sent before it stopped helps to decide as before. */
  private async learn(intake: Intake, position: number): Promise<void> {
    const { start } = await this.ports.traces.bounds();
    for (let offset = Math.max(start, position - LEARNT_RECORDS); offset < position && !this.stopping; ) {
      const fetched = await this.fetch(offset, FETCH_WAIT_MS);
      for (const record of fetched.records) if (record.offset < position) intake.take(record);
      offset = fetched.nextOffset;
    }
  }

  private report(offset: number): void {
    if (this.ownOffset !== undefined) this.ownOffset = offset;
    this.ports.reportOffset(offset);
  }

  private take(intake: Intake, queue: BatchQueue, record: LogRecord): void {
    const { events, clock } = this.ports;
    const taken = intake.take(record);
    switch (taken.kind) {
      case 'forward':
        if (taken.rule !== undefined) events.sampled(taken.rule, true);
        queue.add(taken.trace, clock.monotonicMs());
        return;
      case 'sampled_out':
        return events.sampled(taken.rule, false);
      case 'foreign':
        return events.foreignRecord(this.settings.partition, record.offset, taken.why);
      case 'empty':
    }
  }

  /** What was gathered of a topic that was made anew is in no log any more: it is sent before all begins again. */
  private async deliverRest(queue: BatchQueue, error: unknown): Promise<never> {
    if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) {
      this.ownOffset = 0;
      const rest = queue.takeTo(Number.MAX_SAFE_INTEGER);
      if (rest !== undefined) await this.deliver(rest);
    }
    throw error;
  }

  /** The lag grows while the destination takes nothing. */
  private async deliver(batch: Batch): Promise<boolean> {
    const { clock, traces } = this.ports;
    const [first] = batch;
    let isDone = false;
    const done = this.delivery.deliver(batch).finally(() => {
      isDone = true;
    });
    for (;;) {
      await Promise.race([done, clock.sleep(LAG_MS)]);
      if (isDone || first === undefined) return done;
      const { end } = await traces.bounds().catch(() => ({ end: undefined }));
      if (end !== undefined) this.tellLag(end, first);
    }
  }

  /** @param oldest what is to be taken next. */
  private tellLag(end: number, oldest: { offset: number; appendMs: number | undefined }): void {
    const { clock, events } = this.ports;
    const records = Math.max(0, end - oldest.offset);
    const seconds = records === 0 || oldest.appendMs === undefined ? 0 : (clock.wallMs() - oldest.appendMs) / 1000;
    events.lag(this.settings.partition, records, Math.max(0, seconds));
  }
}

const FETCH_WAIT_MS = 500;
const PAUSE_STEP_MS = 250;
/** Some minutes of traces, or some seconds where there are many. */
const LEARNT_RECORDS = 5_000;
const LAG_MS = 1_000;
