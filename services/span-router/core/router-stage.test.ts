import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../../lib/codec/records.ts';
import { encodeReference } from '../../../lib/testkit/otlp-reference.ts';
import type { CommitReason, StageCommit } from '../../../lib/worker/types.ts';
import type { RoutedReport } from '../ports.ts';
import { decodeLetters, fixturePorts, fixtureSettings, PARTITIONS, record, spanBodies } from '../router-fixture.ts';
import { RouterStage } from './router-stage.ts';

const TRACES = 8;
/** A request of one span for each of several traces. */
const REQUEST = encodeReference({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: Array.from({ length: TRACES }, (_, i) => ({
            traceId: new Uint8Array(16).fill(i + 1),
            spanId: new Uint8Array(8).fill(1),
          })),
        },
      ],
    },
  ],
});

describe('RouterStage', () => {
  let stage: RouterStage;
  let reports: RoutedReport[];

  beforeEach(() => {
    const fixture = fixturePorts({ earliest: 40 });
    reports = fixture.reports;
    stage = new RouterStage(fixtureSettings(), fixture.ports);
  });

  const apply = (values: (Buffer | null)[], from: number, nextOffset = from + values.length) =>
    stage.apply(
      values.map((value, i) => record(from + i, value)),
      { streamTimeMs: 1_700_000_000_000, caughtUp: true, nextOffset },
    );

  /** Prepares, commits, and answers the ledger entry and the outputs. */
  async function commit(reason: CommitReason = 'interval') {
    const prepared = await stage.prepare(reason);
    if (prepared === undefined) return undefined;
    await stage.committed(prepared, () => undefined);
    return { entry: prepared.entry(() => undefined), outputs: prepared.outputs };
  }

  const outputsOf = (prepared: Pick<StageCommit, 'outputs'>, topic: string) =>
    prepared.outputs.filter((output) => output.topic === topic);

  it('starts at the earliest offset when there is no ledger entry, else where the entry says', async () => {
    expect(await stage.recover(undefined, { nonce: 'n' })).toBe(40);
    expect(await stage.recover(entryAt(77), { nonce: 'n' })).toBe(77);
    expect(await stage.recover(entryAt(0), { nonce: 'n' })).toBe(0);
  });

  it('commits nothing while nothing happens', async () => {
    await stage.recover(undefined, { nonce: 'n' });
    expect(await commit()).toBeUndefined();
    await apply([], 40);
    expect(stage.full).toBe(false);
    expect(await commit()).toBeUndefined();
    expect(await commit('drain')).toBeUndefined();
  });

  it('makes one transaction of a poll: a bundle per partition, with its source in the headers, and the position', async () => {
    await stage.recover(undefined, { nonce: 'n' });
    await apply([REQUEST, REQUEST], 40);
    expect(stage.full).toBe(true);
    const { entry, outputs } = (await commit())!;
    const spans = outputsOf({ outputs }, 'spanloom.spans');
    expect(spans.map(({ partition }) => partition).sort()).toEqual(Array.from({ length: PARTITIONS }, (_, p) => p));
    let count = 0;
    for (const { records } of spans) {
      expect(records).toHaveLength(1);
      const { key, value, headers } = records[0]!;
      expect(key).toBeNull();
      expect(headers).toEqual({
        'spanloom-source': 'otlp_spans/3/40-41',
        'spanloom-spans': String(spanBodies(value!).length),
      });
      count += spanBodies(value!).length;
    }
    expect(count).toBe(2 * TRACES);
    expect(entry).toEqual({
      applied: 42,
      low: 42,
      outputPosition: 0,
      outputEnd: 0,
      handOff: null,
      counters: {
        records: 2,
        bytes: 2 * REQUEST.length,
        spans: 2 * TRACES,
        deadLetters: 0,
        redacted: 0,
        truncated: 0,
        lostOffsets: 0,
      },
      streamTime: 1_700_000_000_000,
      state: null,
    });
    expect(stage.full).toBe(false);
    expect(await commit()).toBeUndefined();
  });

  it('goes on with the counters of the entry, and writes dead letters into the same transaction', async () => {
    await stage.recover({ ...entryAt(7), counters: { records: 5, spans: 50, deadLetters: 2 } }, { nonce: 'n' });
    await apply([null, REQUEST, Buffer.from('text')], 7);
    const { entry, outputs } = (await commit())!;
    const letters = outputsOf({ outputs }, 'spanloom.dead-letters');
    expect(letters).toHaveLength(1);
    expect(letters[0]!.partition).toBe(0);
    expect(decodeLetters(letters[0]!.records).map(({ key, reason }) => [key, reason])).toEqual([
      ['otlp_spans/3/7', 'empty_request'],
      ['otlp_spans/3/9', 'invalid_wire'],
    ]);
    expect(entry.counters).toMatchObject({ records: 8, spans: 50 + TRACES, deadLetters: 4 });
    expect(entry.applied).toBe(10);
  });

  it('commits a position that moved over markers alone, but not in a hurry', async () => {
    await stage.recover(entryAt(7), { nonce: 'n' });
    await apply([], 7, 9);
    expect(stage.full).toBe(false);
    expect((await commit())!.entry.applied).toBe(9);
    expect(await commit()).toBeUndefined();
  });

  it('hands over on a drain, also when nothing changed', async () => {
    await stage.recover(entryAt(7), { nonce: 'of this incarnation' });
    await apply([REQUEST], 7);
    expect((await commit())!.entry.handOff).toBeNull();
    const { entry, outputs } = (await commit('drain'))!;
    expect(outputs).toEqual([]);
    expect(entry).toMatchObject({ applied: 8, handOff: { nonce: 'of this incarnation' } });
    expect(entry.counters).toMatchObject({ records: 1, spans: TRACES });
  });

  it('reports lost offsets as a dead letter that names them, in the transaction that moves past them', async () => {
    await stage.recover(entryAt(7), { nonce: 'n' });
    stage.onGap(7, 20);
    expect(stage.full).toBe(true);
    await apply([REQUEST], 20);
    const { entry, outputs } = (await commit())!;
    const [letter] = decodeLetters(outputsOf({ outputs }, 'spanloom.dead-letters')[0]!.records);
    expect(letter).toMatchObject({
      key: 'otlp_spans/3/7',
      offset: 7,
      index: null,
      reason: 'offsets_lost',
      code: 'ROUTER_OFFSETS_LOST',
      size: 0,
    });
    expect(letter!.detail).toContain('Offsets 7 to 19 (13 records or markers)');
    expect(entry.applied).toBe(21);
    expect(entry.counters).toMatchObject({ lostOffsets: 13, deadLetters: 1, spans: TRACES });
    expect(reports.at(-1)!.rejected).toEqual(new Map([['offsets_lost', 13]]));
  });

  it('reports a batch that cannot be decompressed the same way, and goes on behind it', async () => {
    await stage.recover(entryAt(7), { nonce: 'n' });
    stage.onUndecodable(7, 12, 'its zstd data is damaged');
    await apply([], 7, 12);
    const { entry, outputs } = (await commit())!;
    const [letter] = decodeLetters(outputsOf({ outputs }, 'spanloom.dead-letters')[0]!.records);
    expect(letter).toMatchObject({ key: 'otlp_spans/3/7', reason: 'undecodable_batch', index: null });
    expect(letter!.detail).toBe('Offsets 7 to 11 cannot be read: its zstd data is damaged.');
    expect(entry.applied).toBe(12);
  });

  it('forgets what was not committed when it starts again, so that nothing comes twice', async () => {
    await stage.recover(undefined, { nonce: 'n' });
    await apply([REQUEST, null], 40);
    await stage.prepare('interval');
    expect(await stage.recover(undefined, { nonce: 'm' })).toBe(40);
    await apply([REQUEST], 40);
    const { entry, outputs } = (await commit())!;
    expect(entry.counters).toMatchObject({ records: 1, spans: TRACES, deadLetters: 0 });
    expect(outputsOf({ outputs }, 'spanloom.dead-letters')).toEqual([]);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ records: 1, bytes: REQUEST.length, spans: TRACES, bundles: PARTITIONS });
  });

  it('keeps every send below 2 MiB, however large a poll is', async () => {
    await stage.recover(undefined, { nonce: 'n' });
    const attributes = [{ key: 'body', value: { stringValue: 'x'.repeat(50_000) } }];
    const spans = Array.from({ length: 200 }, () => ({
      traceId: new Uint8Array(16).fill(1),
      spanId: new Uint8Array(8).fill(1),
      attributes,
    }));
    await apply([encodeReference({ resourceSpans: [{ scopeSpans: [{ spans }] }] })], 40);
    const { outputs } = (await commit())!;
    expect(outputs.length).toBeGreaterThan(4);
    for (const { records } of outputs) {
      const bytes = records.reduce((sum, { value }) => sum + value!.length, 0);
      expect(bytes).toBeLessThan(2 * 1024 * 1024);
    }
  });
});

function entryAt(applied: number): LedgerEntry {
  return {
    kind: 'entry',
    nonce: 'before',
    applied,
    low: applied,
    outputPosition: 0,
    outputEnd: 0,
    handOff: null,
    counters: {},
    streamTime: 0,
    state: null,
  };
}
