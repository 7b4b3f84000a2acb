import {
  type AlerterState,
  alerterStateCodec,
  type Incident,
  type InputPositions,
  incidentCodec,
} from '../../../lib/codec/incident-records.ts';
import { deadLetterCodec, type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../../../lib/codec/records.ts';
import { describeError, hasCode, isRetryable } from '../../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../../lib/kafka/behind-loss.ts';
import type { FencedWriter, FetchedRecords, LogRecord, OutRecord } from '../../../lib/kafka/types.ts';
import type { Ownership } from '../../../lib/owners/ownership.ts';
import { allDone } from '../../../lib/runtime/all-done.ts';
import type { Worker } from '../../../lib/worker/partition-group.ts';
import { splitBySize } from '../../../lib/worker/split-by-size.ts';
import { StreamTime } from '../../../lib/worker/stream-time.ts';
import { AlerterCore } from '../core/alerter-core.ts';
import type { Rules } from '../core/rules.ts';
import type { AlerterPorts } from '../ports.ts';
import { readState } from './read-state.ts';

export interface ActiveAlerterSettings {
  readonly rules: Rules;
  readonly ownership: Ownership;
  readonly edgesTopic: string;
  readonly incidentsTopic: string;
  readonly stateTopic: string;
  readonly deadLettersTopic: string;
  readonly commitIntervalMs: number;
  readonly fetchBytesMax: number;
}

/**
 * The one alerter at work: the member of the group that has the incidents topic's only partition.
 *
 * Like the workers of partitions it fences its predecessor, claims, restores what was committed, runs and commits:
 * incidents, the state that changed and the input positions in one transaction, so that nothing is announced twice on
 * the topic. Any error throws all of it away and begins again.
 */
export class ActiveAlerter implements Worker {
  private readonly settings: ActiveAlerterSettings;
  private readonly ports: AlerterPorts;
  private stopping = false;
  /** Partitions of a topic that was made anew, until their positions are committed. */
  private readonly anew = new Set<number>();

  constructor(settings: ActiveAlerterSettings, ports: AlerterPorts) {
    this.settings = settings;
    this.ports = ports;
  }

  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<void> {
    const { clock, events } = this.ports;
    let retryMs = RETRY_MS;
    while (!this.stopping) {
      const beganMs = clock.monotonicMs();
      try {
        await this.incarnation();
      } catch (error) {
        if (this.stopping) break;
        retryMs = clock.monotonicMs() - beganMs > STEADY_MS ? RETRY_MS : Math.min(retryMs * 2, RETRY_MAX_MS);
        const waitMs = isRetryable(error) ? retryMs : Math.max(retryMs, RETRY_MS * 4);
        events.failed(error, waitMs);
        await clock.sleep(waitMs);
      }
    }
    events.stopped();
  }

  private async incarnation(): Promise<void> {
    const { ports, settings } = this;
    ports.crashPoint('before-fence');
    const writer = await ports.openWriter();
    try {
      const nonce = ports.randomHex(8);
      const states = await readState(ports.state, await this.claim(writer, nonce), nonce);
      const core = new AlerterCore(settings.rules, settings.ownership);
      core.restore(states);
      const positions = states.find(({ positions: saved }) => saved !== null)?.positions ?? undefined;
      const next = await this.startOffsets(positions);
      ports.events.started(states.length, next);
      ports.crashPoint('after-recover');
      await this.work(writer, core, next);
    } finally {
      await writer.close().catch(() => {});
    }
  }

  /** @returns the offset of the claim. */
  private async claim(writer: FencedWriter, nonce: string): Promise<number> {
    const claim: AlerterState = {
      kind: 'claim',
      nonce,
      positions: null,
      detector: null,
      evidence: null,
      incident: null,
    };
    let offset = -1;
    await writer.transaction(async (txn) => {
      const record = { key: 'claim', value: alerterStateCodec.encode(claim) };
      offset = (await txn.send(this.settings.stateTopic, 0, [record])).baseOffset;
    });
    return offset;
  }

  private async startOffsets(positions: InputPositions | undefined): Promise<number[]> {
    return Promise.all(
      this.ports.edges.map(async (log, partition) => {
        const saved = positions?.nextOffsets[partition] ?? -1;
        return saved >= 0 && !this.anew.has(partition) ? saved : (await log.bounds()).start;
      }),
    );
  }

  private async work(writer: FencedWriter, core: AlerterCore, next: number[]): Promise<void> {
    const { ports, settings } = this;
    const { clock, crashPoint } = ports;
    const time = new StreamTime(core.streamTime);
    const waiting: Waiting = { incidents: [], letters: [], records: 0 };
    const committed = next.slice();
    let committedAtMs = clock.monotonicMs();
    let tickedAtMs = 0;
    while (!this.stopping) {
      const askedAtMs = clock.monotonicMs();
      const fetched = await allDone(next.map((offset, partition) => this.fetch(partition, offset)));
      crashPoint('after-fetch');
      const caughtUp = fetched.every(({ nextOffset, highWatermark }) => nextOffset >= highWatermark);
      const records = fetched.flatMap((of) => of.records);
      time.read(records, caughtUp, askedAtMs);
      for (const [partition, { records: own, nextOffset }] of fetched.entries()) {
        for (const record of own) this.apply(core, partition, record, waiting);
        next[partition] = nextOffset;
      }
      waiting.records += records.length;
      if (records.length > 0 || time.ms - tickedAtMs >= TICK_MS) {
        waiting.incidents.push(...core.tick(time.ms));
        tickedAtMs = time.ms;
        this.tellLag(fetched, caughtUp ? undefined : time.ms);
      }
      const isDue = clock.monotonicMs() - committedAtMs >= settings.commitIntervalMs;
      if (!isDue && waiting.incidents.length === 0) continue;
      committedAtMs = clock.monotonicMs();
      await this.commit(writer, core, next, committed, waiting);
    }
    await this.commit(writer, core, next, committed, waiting);
  }

  /** @param behindMs stream time reached, when there is more to read. */
  private tellLag(fetched: readonly FetchedRecords[], behindMs: number | undefined): void {
    const { clock, events } = this.ports;
    const isBehind = behindMs !== undefined && behindMs > 0;
    const seconds = isBehind ? Math.max(0, (clock.wallMs() - behindMs) / 1000) : 0;
    for (const [partition, { highWatermark, nextOffset }] of fetched.entries()) {
      events.lag(partition, highWatermark - nextOffset, seconds);
    }
  }

  private async fetch(partition: number, offset: number): Promise<FetchedRecords> {
    const log = this.ports.edges[partition] as (typeof this.ports.edges)[number];
    const request = { maxBytes: this.settings.fetchBytesMax, maxWaitMs: FETCH_WAIT_MS };
    try {
      return await log.fetch({ ...request, offset });
    } catch (error) {
      if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) this.anew.add(partition);
      const { from, start } = await lossBehind(error, log, offset);
      // Behind a leader that lags everything would be counted again.
      if (from < offset && hasCode(error, 'KAFKA_OFFSET_GONE')) throw error;
      if (from < start) this.ports.events.gap(partition, from, start);
      return log.fetch({ ...request, offset: start });
    }
  }

  private apply(core: AlerterCore, partition: number, record: LogRecord, waiting: Waiting): void {
    const delta = decode(record);
    if (typeof delta !== 'string') {
      this.ports.events.applied(core.apply(delta, record.timestampMs));
      return;
    }
    this.ports.events.refused(partition, record.offset, delta);
    waiting.letters.push(this.deadLetter(partition, record, delta));
  }

  private deadLetter(partition: number, record: LogRecord, why: string): OutRecord {
    const { edgesTopic: topic } = this.settings;
    const place = `${topic}/${partition}/${record.offset}`;
    const value = record.value ?? Buffer.alloc(0);
    return {
      key: place,
      value: deadLetterCodec.encode({
        topic,
        partition,
        offset: record.offset,
        index: null,
        reason: 'undecodable',
        code: 'EDGES_FOREIGN_RECORD',
        detail: `${place} was not written by a graph-builder: ${why}`,
        size: value.length,
        sha256: this.ports.sha256(value),
        encoding: 'avro',
        service: 'alerter',
        time: record.timestampMs,
        payload: null,
      }),
    };
  }

  private async commit(
    writer: FencedWriter,
    core: AlerterCore,
    next: readonly number[],
    committed: number[],
    waiting: Waiting,
  ): Promise<void> {
    const { ports, settings } = this;
    const changes: OutRecord[] = [];
    for (const [key, state] of core.takeChanges()) {
      changes.push({ key, value: state === null ? null : alerterStateCodec.encode(state) });
    }
    const hasMoved = next.some((offset, partition) => offset !== committed[partition]);
    if (changes.length === 0 && waiting.incidents.length === 0 && !hasMoved) return;
    changes.push({ key: 'positions', value: alerterStateCodec.encode(core.positions(next)) });
    const incidents = waiting.incidents.map(
      (incident): OutRecord => ({ key: incident.incidentId, value: incidentCodec.encode(incident) }),
    );
    ports.crashPoint('before-transaction');
    await writer.transaction(async (txn) => {
      for (const part of splitBySize(incidents)) await txn.send(settings.incidentsTopic, 0, part);
      for (const part of splitBySize(changes)) await txn.send(settings.stateTopic, 0, part);
      for (const part of splitBySize(waiting.letters)) await txn.send(settings.deadLettersTopic, 0, part);
      ports.crashPoint('before-commit');
    });
    ports.crashPoint('after-commit');
    this.anew.clear();
    ports.events.committed(waiting.incidents, waiting.records, core.figures);
    waiting.incidents = [];
    waiting.letters = [];
    waiting.records = 0;
    for (const [partition, offset] of next.entries()) committed[partition] = offset;
  }
}

/** What the next transaction carries besides state. */
interface Waiting {
  incidents: Incident[];
  letters: OutRecord[];
  records: number;
}

function decode(record: LogRecord): ServiceEdgeDelta | string {
  if (record.value === null) return 'it has no value';
  try {
    return serviceEdgeDeltaCodec.decode(record.value);
  } catch (error) {
    return describeError(error);
  }
}

const FETCH_WAIT_MS = 500;
const TICK_MS = 1_000;
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;
const STEADY_MS = 20_000;
