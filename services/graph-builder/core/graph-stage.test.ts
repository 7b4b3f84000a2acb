import { describe, expect, it } from '@jest/globals';
import {
  deadLetterCodec,
  type LedgerEntry,
  type ServiceEdgeDelta,
  serviceEdgeDeltaCodec,
} from '../../../lib/codec/records.ts';
import type { LogRecord, OutRecord } from '../../../lib/kafka/types.ts';
import { assembledTrace, traceLogRecord } from '../../../lib/testkit/assembled-trace.ts';
import { MemoryLog } from '../../../lib/testkit/memory-log.ts';
import { EPOCH_MS, otlp, type ResourceLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import type { FoldReport } from '../ports.ts';
import { GraphStage } from './graph-stage.ts';
import { LIMITS, LiteralFold } from './testing/fold-literal.ts';

const SETTINGS = {
  tracesTopic: 'spanloom.traces',
  edgesTopic: 'spanloom.service-edges',
  deadLettersTopic: 'spanloom.dead-letters',
  partition: 2,
  mode: 'accurate' as const,
  ownerAttribute: 'team',
  names: LIMITS,
  earlier: { horizonMs: 60_000, tracesMax: 1_000 },
  traceBytesMax: 1024 * 1024,
  rowsMax: 100,
};

/** A stage on a log in memory, driven as the worker loop does. */
class Driven {
  readonly log: MemoryLog;
  readonly deltas: ServiceEdgeDelta[] = [];
  readonly letters: OutRecord[] = [];
  /** What each delta says it is of. */
  readonly sources: string[] = [];
  readonly reports: FoldReport[] = [];
  last: LedgerEntry | undefined;
  private stage: GraphStage;
  position = 0;

  constructor(log: MemoryLog) {
    this.log = log;
    this.stage = this.newStage();
  }

  private newStage(): GraphStage {
    return new GraphStage(SETTINGS, {
      traces: this.log,
      sha256: () => 'f'.repeat(64),
      encodeDelta: serviceEdgeDeltaCodec.encode,
      encodeDeadLetter: deadLetterCodec.encode,
      folded: (report) => this.reports.push(report),
    });
  }

  /** A new process takes over. */
  async takeOver(): Promise<void> {
    this.stage = this.newStage();
    await this.recover();
  }

  /** The same process begins again, without what it had not committed. */
  async recover(): Promise<void> {
    this.position = Math.max(0, await this.stage.recover(this.last, { nonce: 'n' }));
  }

  async read(records: readonly LogRecord[]): Promise<void> {
    this.position = records.at(-1)?.offset === undefined ? this.position : (records.at(-1) as LogRecord).offset + 1;
    await this.stage.apply(records, { streamTimeMs: 0, caughtUp: true, nextOffset: this.position });
  }

  async commit(reason: 'interval' | 'drain' = 'interval'): Promise<boolean> {
    const commit = await this.stage.prepare(reason);
    if (commit === undefined) return false;
    for (const { topic, records } of commit.outputs) {
      if (topic === SETTINGS.deadLettersTopic) this.letters.push(...records);
      else {
        this.deltas.push(...records.map(({ value }) => serviceEdgeDeltaCodec.decode(value as Buffer)));
        this.sources.push(...records.map(({ headers }) => String(headers?.['spanloom-source'])));
      }
    }
    this.last = { ...commit.entry(() => undefined), kind: 'entry', nonce: 'n' };
    await this.stage.committed();
    return true;
  }

  get full(): boolean {
    return this.stage.full;
  }
}

const WEB: ResourceLiteral = {
  service: 'web',
  spans: [
    { id: 1, kind: 'server' },
    { id: 2, parent: 1, kind: 'client' },
  ],
};
const APP: ResourceLiteral = { service: 'app', spans: [{ id: 3, parent: 2, kind: 'server', error: true }] };

const record = (offset: number, resources: readonly ResourceLiteral[], trace: number, appendMs = EPOCH_MS) =>
  traceLogRecord(assembledTrace(otlp(resources, { trace })), offset, appendMs);

describe('GraphStage', () => {
  it('names the trace records of its commit on each delta, without a hole between two commits', async () => {
    const driven = new Driven(new MemoryLog());
    await driven.recover();
    for (const offsets of [[0, 1, 4], [7]]) {
      await driven.read(offsets.map((offset) => record(offset, [WEB, APP], offset + 1)));
      await driven.commit();
    }
    expect([...new Set(driven.sources)]).toEqual(['spanloom.traces/2/0-4', 'spanloom.traces/2/5-7']);
  });

  it('folds each trace once and commits nothing while nothing comes', async () => {
    const driven = new Driven(new MemoryLog());
    await driven.recover();
    expect(await driven.commit()).toBe(false);
    expect(await driven.commit('drain')).toBe(false);
    await driven.read([record(0, [WEB, APP], 1)]);
    expect(await driven.commit()).toBe(true);
    expect(summed(driven.deltas)).toEqual(folded([[[WEB, APP]]]));
    expect(driven.last).toMatchObject({ applied: 1, low: 0, handOff: null, counters: { records: 1, spans: 3 } });
    await driven.read([]);
    expect(await driven.commit()).toBe(false);
    expect(await driven.commit('drain')).toBe(true);
    expect(driven.last?.handOff).toEqual({ namespace: '', nonce: 'n' });
  });

  it.each([
    ['in one fetch', false],
    ['with a commit between', true],
  ])('takes back what an earlier revision said, %s', async (_, commits) => {
    const log = new MemoryLog();
    const driven = new Driven(log);
    await driven.recover();
    const records = [record(0, [WEB], 1), record(4, [WEB], 2), record(5, [APP], 1)];
    for (const each of records) log.append(each);
    if (commits) {
      await driven.read(records.slice(0, 2));
      await driven.commit();
      await driven.read(records.slice(2));
    } else {
      await driven.read(records);
    }
    await driven.commit();
    expect(summed(driven.deltas)).toEqual(folded([[[WEB, APP]], [[WEB]]]));
    expect(driven.last?.counters).toMatchObject({ corrected: 1, uncorrected: 0 });
  });

  it('counts a revision by itself when the log has let go of what came before, and says so', async () => {
    const log = new MemoryLog();
    const driven = new Driven(log);
    await driven.recover();
    log.append(record(0, [WEB], 1));
    log.append(record(1, [APP], 1));
    await driven.read(log.records.slice(0, 1));
    await driven.commit();
    log.start = 1;
    await driven.read(log.records.slice(1));
    await driven.commit();
    expect(driven.last?.counters).toMatchObject({ corrected: 0, uncorrected: 1 });
  });

  it('skips empty revisions', async () => {
    const driven = new Driven(new MemoryLog());
    await driven.recover();
    const empty = { ...assembledTrace(otlp([WEB], { trace: 1 })), spanCount: 0, otlp: Buffer.alloc(0) };
    await driven.read([traceLogRecord(empty, 0)]);
    await driven.commit();
    expect(driven.deltas).toEqual([]);
    expect(driven.last?.applied).toBe(1);
  });

  it('writes a dead letter for a record that no assembler wrote, and goes on', async () => {
    const driven = new Driven(new MemoryLog());
    await driven.recover();
    const foreign = { ...record(0, [WEB], 1), value: Buffer.from('nonsense') };
    const broken = traceLogRecord({ ...assembledTrace(otlp([WEB])), otlp: Buffer.from([0x0a, 0x7f]) }, 1);
    await driven.read([foreign, broken, { ...foreign, offset: 2, value: null }, record(3, [WEB], 2)]);
    await driven.commit();
    expect(driven.letters.map(({ key, value }) => [key, deadLetterCodec.decode(value as Buffer).reason])).toEqual([
      ['spanloom.traces/2/0', 'undecodable'],
      ['spanloom.traces/2/1', 'invalid_otlp'],
      ['spanloom.traces/2/2', 'undecodable'],
    ]);
    expect(summed(driven.deltas)).toEqual(folded([[[WEB]]]));
  });

  it('asks for a commit when many rows wait', async () => {
    const driven = new Driven(new MemoryLog());
    await driven.recover();
    const services = Array.from({ length: 60 }, (_, i) => ({
      service: `s${i}`,
      spans: [{ id: i + 1, kind: 'server' as const }],
    }));
    await driven.read([record(0, services, 1)]);
    expect(driven.full).toBe(true);
    await driven.commit();
    expect(driven.full).toBe(false);
  });

  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'the deltas of a log are the same whatever took over when (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const log = new MemoryLog(4);
      let offset = 0;
      for (let i = 0; i < 120; i++) {
        offset += 1 + random.below(3);
        // Some traces come in parts, far enough apart that the horizon matters.
        log.append(record(offset, [random.below(2) === 0 ? WEB : APP], 1 + random.below(40), EPOCH_MS + i * 1_500));
      }
      const undisturbed = await run(log, new SeededRandom(seed), false);
      const disturbed = await run(log, new SeededRandom(seed + 1_000), true);
      expect(summed(disturbed.deltas)).toEqual(summed(undisturbed.deltas));
      expect(disturbed.last?.counters).toEqual(undisturbed.last?.counters);
      expect(undisturbed.last?.counters['corrected']).toBeGreaterThan(5);
    },
  );
});

/** Works the log off in random fetches and commits; disturbed, with crashes and successors in between. */
async function run(log: MemoryLog, random: SeededRandom, disturbed: boolean): Promise<Driven> {
  const driven = new Driven(log);
  await driven.recover();
  while (driven.position < log.end) {
    const rest = log.records.filter(({ offset }) => offset >= driven.position);
    await driven.read(rest.slice(0, 1 + random.below(6)));
    if (random.below(3) === 0) await driven.commit();
    if (disturbed && random.below(4) === 0) await (random.below(2) === 0 ? driven.recover() : driven.takeOver());
  }
  await driven.commit('drain');
  return driven;
}

/** Calls and errors of each subject and window, and the failures, without what is zero. */
function summed(deltas: readonly ServiceEdgeDelta[]): Record<string, unknown> {
  const sums = new Map<string, number>();
  const add = (key: string, value: number) => sums.set(key, (sums.get(key) ?? 0) + value);
  for (const delta of deltas) {
    const { subject, client, server, connectionType, confidence, clientOperation, serverOperation } = delta;
    const key = [
      subject,
      delta.windowStart,
      client,
      server,
      connectionType,
      confidence,
      clientOperation,
      serverOperation,
    ];
    for (const name of ['calls', 'errors', 'errors4xx'] as const) add([...key, name].join('|'), delta[name]);
    for (const [side, histogram] of [
      ['client', delta.clientDuration],
      ['server', delta.serverDuration],
      ['gap', delta.networkGap],
      ['queue', delta.queueDelay],
    ] as const) {
      histogram?.buckets.forEach((bucket, i) => {
        add([...key, side, bucket].join('|'), histogram.counts[i] as number);
      });
    }
    for (const { traceId, sign, origins } of delta.failures) {
      add([...key, traceId, origins.map((origin) => `${origin.service} ${origin.class}`).join()].join('|'), sign);
    }
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0).sort());
}

/** What a fold of whole traces gives, each a list of its resources. */
function folded(traces: readonly (readonly ResourceLiteral[][])[]): Record<string, unknown> {
  const fold = new LiteralFold();
  for (const resources of traces) fold.add(resources.flat());
  return summed(fold.records());
}
