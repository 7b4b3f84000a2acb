import { describe, expect, it } from '@jest/globals';
import { type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../../../lib/codec/records.ts';
import { DurationHistogram, type SparseHistogram } from '../../../lib/stats/duration-histogram.ts';
import type { ResourceLiteral, SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { LiteralFold } from './testing/fold-literal.ts';

const of = (service: string, ...spans: SpanLiteral[]): ResourceLiteral => ({ service, spans });
const kafka = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' };
const record = (trace: readonly ResourceLiteral[], server: string, subject: ServiceEdgeDelta['subject'] = 'edge') => {
  const found = new LiteralFold().add(trace).records(subject);
  return found.find((one) => one.server === server) as ServiceEdgeDelta;
};

describe('statistics of an edge', () => {
  it('tell how much longer the client waited than the server worked', () => {
    const edge = record(
      [
        of('web', { id: 1, kind: 'client', start: 0, duration: 30 }),
        of('app', { id: 2, parent: 1, kind: 'server', start: 4, duration: 20 }),
      ],
      'app',
    );
    expect(edge.clientDuration?.sumMicros).toBe(30_000);
    expect(edge.serverDuration?.sumMicros).toBe(20_000);
    expect(edge.networkGap?.sumMicros).toBe(10_000);
    expect(edge.queueDelay).toBeNull();
  });

  it('count no gap when the server went on after the client had given up', () => {
    const edge = record(
      [of('web', { id: 1, kind: 'client', duration: 5 }), of('app', { id: 2, parent: 1, kind: 'server', duration: 9 })],
      'app',
    );
    expect(edge.networkGap).toEqual({ buckets: [], counts: [], zeroCount: 1, sumMicros: 0 });
  });

  it('have no gap when one side is missing', () => {
    const edge = record([of('web', { id: 1, kind: 'server' }), of('app', { id: 2, parent: 1, kind: 'server' })], 'app');
    expect(edge.networkGap).toBeNull();
  });

  it.each([
    ['with a queue between', kafka],
    ['without', undefined],
  ])('tell how long a message waited, %s', (_, attributes) => {
    const named = attributes === undefined ? {} : { attributes };
    const edge = record(
      [
        of('web', { id: 1, kind: 'producer', start: 0, duration: 2, ...named }),
        of('mailer', { id: 2, parent: 1, kind: 'consumer', start: 500, duration: 7, ...named }),
      ],
      'mailer',
    );
    expect(edge.queueDelay?.sumMicros).toBe(498_000);
    expect(edge.networkGap).toBeNull();
    expect(edge.serverDuration?.sumMicros).toBe(7_000);
  });

  it('count a message that its consumer saw before it was sent as not waiting: clocks differ', () => {
    const trace = [
      of('web', { id: 1, kind: 'producer', start: 10, attributes: kafka }),
      of('mailer', { id: 2, parent: 1, kind: 'consumer', start: 3, attributes: kafka }),
    ];
    expect(record(trace, 'mailer').queueDelay).toEqual({ buckets: [], counts: [], zeroCount: 1, sumMicros: 0 });
  });
});

describe('statistics of services and entries', () => {
  const trace = [
    of('phone', { id: 1, kind: 'client', duration: 90 }),
    of('web', { id: 2, parent: 1, kind: 'server', name: 'GET /', duration: 60 }),
  ];

  it('tell how long a service worked', () => {
    expect(record(trace, 'web', 'service')).toMatchObject({ calls: 1, serverDuration: { sumMicros: 60_000 } });
  });

  it('tell how long an entry worked, and how long whoever called it from outside waited', () => {
    expect(record(trace, 'web', 'entry')).toMatchObject({
      serverOperation: 'GET /',
      serverDuration: { sumMicros: 60_000 },
      clientDuration: { sumMicros: 90_000 },
    });
  });

  it('keep one exemplar that failed, one that was slow, and one like any other', () => {
    const fold = new LiteralFold();
    const request = (duration: number, error?: boolean) =>
      fold.add([of('web', { id: 1, kind: 'server', name: 'GET /', duration, ...(error ? { error } : {}) })]);
    request(3);
    request(50);
    request(9, true);
    request(40);
    const [entry] = fold.records('entry');
    expect(entry?.exemplars.map(({ kind, durationMicros }) => [kind, durationMicros])).toEqual([
      ['failed', 9_000],
      ['slow', 50_000],
      ['normal', 3_000],
    ]);
  });
});

describe('slow traces of an entry', () => {
  const sql = { 'db.system': 'postgresql', 'db.name': 'orders' };
  const trace = (duration: number, error?: boolean) => [
    of('web', { id: 1, kind: 'server', name: 'GET /', duration, ...(error ? { error } : {}) }),
    of('web', { id: 2, parent: 1, kind: 'client', start: 1, duration: duration - 2 }),
    of('app', { id: 3, parent: 2, kind: 'server', name: 'work', start: 2, duration: duration - 5 }),
    of('app', { id: 4, parent: 3, name: 'inside', start: 2, duration: duration - 6 }),
    of('app', { id: 5, parent: 4, kind: 'client', name: 'SELECT 1', start: 3, duration: 4, attributes: sql }),
    of('app', { id: 6, parent: 4, kind: 'client', name: 'SELECT 2', start: 8, duration: 9, attributes: sql }),
    of('app', { id: 7, parent: 3, kind: 'producer', start: 4, duration: 1, attributes: kafka }),
    of('mailer', { id: 8, parent: 7, kind: 'consumer', start: 9, duration: 500, attributes: kafka }),
  ];

  it('say how long was waited for whom, several calls of one service summed up, messages left out', () => {
    const [slow] = record(trace(40), 'web', 'entry').slowTraces;
    expect(slow).toMatchObject({ durationMicros: 40_000, spanId: '0000000000000001' });
    const sums = slow?.calls.map(({ client, server, operation, peerKind, calls, clientMicros, serverMicros }) => [
      `${client} → ${server} ${operation} ${peerKind} × ${calls}`,
      clientMicros,
      serverMicros,
    ]);
    expect(sums).toEqual([
      ['user → web GET / service × 1', 40_000, 40_000],
      ['web → app work service × 1', 38_000, 35_000],
      ['app → orders SELECT 2 database × 2', 13_000, 0],
    ]);
  });

  it('are the two slowest that did not fail, and are not taken back', () => {
    const fold = new LiteralFold();
    for (const duration of [30, 20, 50, 40]) fold.add(trace(duration));
    fold.add(trace(90, true));
    fold.add(trace(50), { trace: 3, sign: -1 });
    const durations = fold.records('entry').flatMap(({ slowTraces }) => slowTraces.map((slow) => slow.durationMicros));
    expect(durations.sort()).toEqual([40_000, 50_000]);
  });
});

describe('what services say of themselves', () => {
  const server = (id: number, resource: Record<string, string>, parent = 0) => ({
    service: 'web',
    resource,
    spans: [{ id, parent, kind: 'server' as const, name: 'GET /' }],
  });

  it('are the versions met since the last record, and who owns them', () => {
    const fold = new LiteralFold();
    fold.add([server(1, { 'service.version': '1.0', team: 'shop' })]);
    fold.add([server(1, { 'service.version': '1.1' })]);
    fold.add([server(1, { 'service.version': '1.0' })]);
    expect(fold.records('service')).toMatchObject([{ versions: ['1.0', '1.1'], owner: 'shop' }]);
    fold.deltas.clear();
    fold.add([server(1, { 'service.version': '1.1' })]);
    expect(fold.records('service')).toMatchObject([{ versions: ['1.1'], owner: 'shop' }]);
    expect(fold.records('entry')).toMatchObject([{ versions: [], owner: '' }]);
  });

  it('are at most four versions, whatever stands in their place', () => {
    const fold = new LiteralFold();
    for (let i = 0; i < 9; i++) fold.add([server(1, { 'service.version': `${i}`.repeat(500) })]);
    const [record] = fold.records('service');
    expect(record?.versions).toHaveLength(4);
    expect(Math.max(...(record?.versions ?? []).map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  it('count spans whose parent is missing, and the trace once, until it comes', () => {
    const fold = new LiteralFold();
    const parts = [server(1, {}), server(2, {}, 7), server(3, {}, 8)];
    fold.add(parts);
    expect(fold.records('service')).toMatchObject([{ incompleteTraces: 1, orphanSpans: 2 }]);
    const found = { service: 'app', spans: [7, 8].map((id) => ({ id, parent: 1, kind: 'client' as const })) };
    fold.add([...parts, found], { trace: 1 }).add(parts, { trace: 1, sign: -1 });
    const sums = fold.records('service').map(({ incompleteTraces, orphanSpans }) => [incompleteTraces, orphanSpans]);
    expect(sums).toEqual([[0, 0]]);
  });
});

describe('deltas', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'add up to the same in any order and grouping (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const traces = Array.from({ length: 60 }, () => randomTrace(random));
      // As many folds as there could be partitions and commits; some traces are taken back again.
      const folds = Array.from({ length: 1 + random.below(7) }, () => new LiteralFold());
      const whole = new LiteralFold();
      const records: ServiceEdgeDelta[] = [];
      for (const [i, trace] of traces.entries()) {
        const fold = folds[random.below(folds.length)] as LiteralFold;
        const isTakenBack = random.below(5) === 0;
        fold.add(trace, { trace: i + 1 });
        if (isTakenBack) (folds[random.below(folds.length)] as LiteralFold).add(trace, { trace: i + 1, sign: -1 });
        else whole.add(trace, { trace: i + 1 });
        if (random.below(4) === 0) {
          records.push(...fold.records());
          fold.deltas.clear();
        }
      }
      for (const fold of folds) records.push(...fold.records());
      expect(totals(shuffled(overTheWire(records), random))).toEqual(totals(overTheWire(whole.records())));
    },
  );

  it('tell quantiles within 5 %', () => {
    const random = new SeededRandom(7);
    const merged = new DurationHistogram();
    const durations: number[] = [];
    for (let part = 0; part < 20; part++) {
      const fold = new LiteralFold();
      for (let i = 0; i < 50; i++) {
        const duration = Math.max(0.01, random.logNormal(40, 1.1));
        durations.push(Math.round(duration * 1000));
        fold.add([of('web', { id: 1, kind: 'server', name: 'GET /', duration })]);
      }
      for (const entry of fold.records('entry')) merged.merge(entry.serverDuration as SparseHistogram);
    }
    durations.sort((a, b) => a - b);
    for (const q of [0.01, 0.25, 0.5, 0.9, 0.95, 0.99]) {
      const exact = durations[Math.ceil(q * durations.length) - 1] as number;
      expect(Math.abs(merged.quantileMicros(q) / exact - 1)).toBeLessThan(0.05);
    }
  });

  it('are small: a busy edge takes less than 800 bytes', () => {
    const random = new SeededRandom(3);
    const fold = new LiteralFold();
    for (let i = 0; i < 1000; i++) {
      fold.add([
        of('frontend', { id: 1, kind: 'client', name: 'call', duration: random.logNormal(30, 0.7) }),
        of('checkout', { id: 2, parent: 1, kind: 'server', name: 'POST /order', duration: random.logNormal(20, 0.7) }),
      ]);
    }
    const [edge] = fold.records('edge').filter(({ client }) => client === 'frontend');
    expect(edge?.calls).toBe(1000);
    expect(serviceEdgeDeltaCodec.encode(edge as ServiceEdgeDelta).length).toBeLessThan(800);
  });
});

function overTheWire(records: readonly ServiceEdgeDelta[]): ServiceEdgeDelta[] {
  return records.map((one) => serviceEdgeDeltaCodec.decode(serviceEdgeDeltaCodec.encode(one)));
}

/** A few services that call each other, some over a queue, some failing. */
function randomTrace(random: SeededRandom): ResourceLiteral[] {
  const parts: ResourceLiteral[] = [];
  const count = 2 + random.below(8);
  for (let id = 1; id <= count; id++) {
    const kinds = ['server', 'client', 'internal', 'producer', 'consumer'] as const;
    parts.push(
      of(`s${random.below(4)}`, {
        id,
        parent: random.below(id),
        kind: kinds[random.below(5)] as (typeof kinds)[number],
        name: `op${random.below(2)}`,
        start: random.below(25_000),
        duration: random.below(400),
        ...(random.below(6) === 0 ? { error: true } : {}),
      }),
    );
  }
  return parts;
}

/** Every number that records add to, by subject; without what is zero and without exemplars and slow traces, which are examples. */
function totals(records: readonly ServiceEdgeDelta[]): Record<string, number> {
  const sums = new Map<string, number>();
  const add = (key: readonly unknown[], value: number) => {
    const text = JSON.stringify(key);
    sums.set(text, (sums.get(text) ?? 0) + value);
  };
  for (const record of records) {
    const {
      exemplars: _,
      slowTraces: _slow,
      versions: _versions,
      failures,
      calls,
      errors,
      errors4xx,
      traces,
      ...others
    } = record;
    const { incompleteTraces, orphanSpans, ...rest } = others;
    const { clientDuration, serverDuration, networkGap, queueDelay, ...key } = rest;
    for (const [name, value] of Object.entries({ calls, errors, errors4xx, traces, incompleteTraces, orphanSpans }))
      add([key, name], value);
    for (const [name, histogram] of Object.entries({ clientDuration, serverDuration, networkGap, queueDelay })) {
      for (const [i, bucket] of (histogram?.buckets ?? []).entries()) {
        add([key, name, bucket], histogram?.counts[i] as number);
      }
      add([key, name, 'zero'], histogram?.zeroCount ?? 0);
      add([key, name, 'sum'], histogram?.sumMicros ?? 0);
    }
    for (const { sign, ...failure } of failures) add([key, failure], sign);
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0).sort());
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  for (let i = left.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [left[i], left[j]] = [left[j] as T, left[i] as T];
  }
  return left;
}
