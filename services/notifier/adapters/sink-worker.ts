import { type Incident, incidentCodec } from '../../../lib/codec/incident-records.ts';
import { describeError, hasCode } from '../../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../../lib/kafka/behind-loss.ts';
import type { FetchedRecords, LogRecord } from '../../../lib/kafka/types.ts';
import { Backoff } from '../../../lib/runtime/backoff.ts';
import type { Worker } from '../../../lib/worker/partition-group.ts';
import { judgeAnswer, type Verdict } from '../core/judge-answer.ts';
import type { Announcement, Message, Outbox } from '../core/outbox.ts';
import type { SinkPorts } from '../ports.ts';

export interface SinkWorkerSettings {
  readonly sink: string;
  readonly incidentsTopic: string;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

/**
 * Tells one sink of incidents: the member of the sink's group that has the incidents topic's only partition. It folds the
 * topic up to its position, so that it knows what fires, then follows it. A receiver that is slow or gone holds back
 * nobody but itself: nothing more is read for it, and nothing else waits for it.
 */
export class SinkWorker implements Worker {
  private readonly settings: SinkWorkerSettings;
  private readonly ports: SinkPorts;
  private readonly createOutbox: () => Outbox;
  private readonly backoff: Backoff;
  private readonly stopping = new AbortController();
  private attemptAtMs = 0;
  /** Set once the topic was made anew: the group's offset is of the one before until ours is committed. */
  private ownOffset: number | undefined;

  constructor(settings: SinkWorkerSettings, ports: SinkPorts, createOutbox: () => Outbox) {
    this.settings = settings;
    this.ports = ports;
    this.createOutbox = createOutbox;
    const { retryMs: firstMs, retryMaxMs: maxMs } = settings;
    this.backoff = new Backoff({ firstMs, maxMs, random: ports.random });
  }

  stop(): void {
    this.stopping.abort();
  }

  async run(): Promise<void> {
    const { clock, events } = this.ports;
    const restarts = new Backoff({ firstMs: RESTART_MS, maxMs: RESTART_MAX_MS, random: this.ports.random });
    while (!this.isStopping) {
      try {
        await this.follow();
      } catch (error) {
        if (this.isStopping) break;
        if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) this.ownOffset = 0;
        const waitMs = restarts.nextMs();
        events.broken(error, waitMs);
        await clock.sleep(waitMs);
      }
    }
    events.stopped();
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async follow(): Promise<void> {
    const { ports } = this;
    const outbox = this.createOutbox();
    let offset = await this.fold(outbox);
    this.report(offset);
    while (!this.isStopping) {
      if (outbox.wantsMore) {
        const fetched = await this.fetch(outbox, offset);
        offset = fetched.nextOffset;
        for (const record of fetched.records) this.take(outbox, record);
        ports.events.received(fetched.records.length);
        this.reportLag(fetched);
      } else {
        await ports.clock.sleep(Math.max(0, Math.min(FETCH_WAIT_MS, this.attemptAtMs - ports.clock.monotonicMs())));
      }
      await this.deliver(outbox);
      if (outbox.position !== undefined) this.report(outbox.position);
    }
  }

  /** @returns the offset to go on at: the group's, or the end of the topic for a group that is new. */
  private async fold(outbox: Outbox): Promise<number> {
    const { incidents, committedOffset, events } = this.ports;
    const { start, end } = await incidents.bounds();
    const committed = this.ownOffset ?? (await committedOffset());
    const until = committed === undefined || committed > end ? end : Math.max(start, committed);
    const newest = new Map<string, Incident>();
    for (let offset = start; offset < until; ) {
      const fetched = await incidents.fetch({ offset, maxBytes: FETCH_BYTES, maxWaitMs: FETCH_WAIT_MS });
      for (const record of fetched.records) {
        const incident = record.offset < until ? this.decode(record) : undefined;
        if (incident !== undefined) newest.set(incident.incidentId, incident);
      }
      offset = Math.max(offset, fetched.nextOffset);
      if (this.isStopping) break;
    }
    for (const incident of newest.values()) outbox.remember(incident);
    events.started(newest.size, until);
    return until;
  }

  private async fetch(outbox: Outbox, offset: number): Promise<FetchedRecords> {
    const { incidents, events } = this.ports;
    const request = { maxBytes: FETCH_BYTES, maxWaitMs: FETCH_WAIT_MS };
    try {
      return await incidents.fetch({ ...request, offset });
    } catch (error) {
      if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) {
        // What fires goes on firing: who announces it will not do so again because the topic is another one.
        this.ownOffset = 0;
        outbox.forgetOffsets();
      }
      const { from, start } = await lossBehind(error, incidents, offset);
      events.gap(from, start);
      return incidents.fetch({ ...request, offset: start });
    }
  }

  private report(offset: number): void {
    if (this.ownOffset !== undefined) this.ownOffset = offset;
    this.ports.reportOffset(offset);
  }

  private take(outbox: Outbox, record: LogRecord): void {
    const incident = this.decode(record);
    if (incident !== undefined) outbox.take({ incident, offset: record.offset, appendMs: record.timestampMs });
  }

  private decode({ value, offset }: LogRecord): Incident | undefined {
    // Compaction leaves none, but whoever deletes an incident writes a record without a value.
    if (value === null) return undefined;
    try {
      return incidentCodec.decode(value);
    } catch (error) {
      this.ports.events.foreignRecord(offset, describeError(error));
      return undefined;
    }
  }

  private async deliver(outbox: Outbox): Promise<void> {
    const { clock, events } = this.ports;
    if (clock.monotonicMs() < this.attemptAtMs) return;
    const message = outbox.next(clock.wallMs());
    await this.bury(outbox.takeTooOld(), 'notification_too_old', 'NOTIFY_TOO_OLD', 'it could not be delivered in time');
    if (message === undefined) return;
    const beganMs = clock.monotonicMs();
    const verdict = await this.attempt(message);
    if (this.isStopping && verdict.kind === 'retry') return;
    if (verdict.kind === 'retry') {
      const waitMs = Math.max(verdict.waitMs ?? 0, this.backoff.nextMs());
      this.attemptAtMs = clock.monotonicMs() + waitMs;
      events.failed(verdict.why, waitMs);
      return;
    }
    this.backoff.reset();
    this.attemptAtMs = 0;
    if (verdict.kind === 'delivered') {
      events.delivered(message, clock.monotonicMs() - beganMs);
    } else {
      events.refused(verdict.why);
      const about = message.about === undefined ? [] : [message.about];
      await this.bury(about, 'notification_refused', 'NOTIFY_REFUSED', verdict.why);
    }
    outbox.settled(clock.wallMs());
  }

  private async attempt(message: Message): Promise<Verdict> {
    const { ports } = this;
    try {
      return judgeAnswer(await ports.post(message, this.stopping.signal), ports.clock.wallMs());
    } catch (error) {
      return { kind: 'retry', why: describeError(error) };
    }
  }

  private async bury(lost: readonly Announcement[], reason: string, code: string, why: string): Promise<void> {
    if (reason === 'notification_too_old' && lost.length > 0) this.ports.events.tooOld(lost);
    for (const { incident, offset, appendMs } of lost) {
      const value = incidentCodec.encode(incident);
      await this.ports.deadLetter({
        ...{ topic: this.settings.incidentsTopic, partition: 0, offset, index: null, reason, code },
        detail: `sink ${this.settings.sink} was not told of ${incident.incidentId}:${incident.seq}: ${why}`,
        ...{ size: value.length, sha256: this.ports.sha256(value), encoding: 'avro' },
        ...{ service: 'notifier', time: appendMs, payload: null },
      });
    }
  }

  private reportLag({ records, nextOffset, lastStableOffset }: FetchedRecords): void {
    const behind = Math.max(0, lastStableOffset - nextOffset);
    const newest = records.at(-1)?.timestampMs;
    const seconds = behind === 0 || newest === undefined ? 0 : (this.ports.clock.wallMs() - newest) / 1000;
    this.ports.events.lag(behind, Math.max(0, seconds));
  }
}

const FETCH_WAIT_MS = 500;
const FETCH_BYTES = 1024 * 1024;
const RESTART_MS = 500;
const RESTART_MAX_MS = 30_000;
