import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { scanOtlpRequest } from '../../trace/otlp-scan.ts';
import { SpanTable } from '../../trace/span-table.ts';
import type { ExportRecord } from './batch-exporter.ts';
import { GATEWAY_TIMEOUT_MS } from './request.ts';
import { GATEWAY } from './system.ts';
import { fourNodeTraffic, type Traffic, type TrafficOptions } from './traffic.ts';

const OPTIONS: TrafficOptions = {
  seed: 7,
  startUnixMs: 1_760_000_000_000,
  durationMs: 60_000,
  requestsPerSecond: { first: 4, peak: 40, rampMs: 15_000 },
  outages: { firstMs: 25_000, lengthMs: 20_000 },
};

describe('fourNodeTraffic', () => {
  it('is the same bytes for the same seed, and others for another', () => {
    expect(digest(fourNodeTraffic(OPTIONS))).toBe(digest(fourNodeTraffic(OPTIONS)));
    expect(digest(fourNodeTraffic({ ...OPTIONS, seed: 8 }))).not.toBe(digest(fourNodeTraffic(OPTIONS)));
  });

  it('writes OTLP that the scanner reads back, with every span once', () => {
    const { records, truth } = fourNodeTraffic(OPTIONS);
    const table = new SpanTable();
    const seen = new Set<string>();
    for (const record of records) {
      expect(scanOtlpRequest(record.value, table)).toBeUndefined();
      expect(table.count).toBe(record.spans.length);
      for (let row = 0; row < table.count; row++) {
        expect(table.problem[row]).toBe(0);
        seen.add(hexAt(record.value, table.traceId[row]!, 16) + hexAt(record.value, table.spanId[row]!, 8));
      }
    }
    expect(seen.size).toBe(truth.spanCount);
    expect(truth.requestCount).toBeGreaterThan(1_000);
  });

  it('counts in its truth what its spans say', () => {
    const { records, truth } = fourNodeTraffic(OPTIONS);
    const calls = new Map<string, { calls: number; errors: number }>();
    for (const record of records) {
      for (const span of record.spans) {
        const isEntry = span.parentSpanId === undefined;
        if (span.kind !== 'client' && !isEntry) continue;
        const server = isEntry ? GATEWAY : String(span.attributes['server.address']);
        const edge = calls.get(server) ?? { calls: 0, errors: 0 };
        edge.calls++;
        if (span.error !== undefined && span.attributes['http.response.status_code'] !== 404) edge.errors++;
        calls.set(server, edge);
      }
    }
    const counted = truth.edges().map(({ server, calls, errors }) => [server, { calls, errors }]);
    expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(calls));
  });

  it('exports in time order, nothing before it has ended, and mixes traces within a record', () => {
    let lastMs = 0;
    let mixed = 0;
    for (const record of fourNodeTraffic(OPTIONS).records) {
      expect(record.atMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = record.atMs;
      for (const span of record.spans) expect(span.endMs).toBeLessThanOrEqual(record.atMs);
      if (new Set(record.spans.map((span) => hex(span.traceId))).size > 1) mixed++;
    }
    expect(mixed).toBeGreaterThan(100);
  });

  it('fails calls to the database only during the outage, some at once and some after a long hang', () => {
    const failed = spansOf(fourNodeTraffic(OPTIONS)).filter(
      (span) => span.attributes['db.system.name'] === 'postgresql' && span.error !== undefined,
    );
    const inOutage = failed.filter((span) => span.startMs >= 25_000 && span.startMs < 45_000);
    const atOnce = inOutage.filter((span) => span.endMs - span.startMs < 100);
    const beyondGateway = inOutage.filter((span) => span.endMs - span.startMs > GATEWAY_TIMEOUT_MS);
    expect(failed.length - inOutage.length).toBeLessThan(10);
    expect(atOnce.length).toBeGreaterThan(50);
    expect(beyondGateway.length).toBeGreaterThan(5);
    expect(Math.max(...inOutage.map((span) => span.endMs - span.startMs))).toBeLessThan(32_000);
  });

  it('answers 504 at 30 s while the call to the database still hangs, and its root mostly arrives last', () => {
    const { records, truth } = fourNodeTraffic(OPTIONS);
    const arrivals = new Map<string, { root: number; last: number; rootMs: number; lastEndMs: number }>();
    let at = 0;
    for (const record of records) {
      at++;
      for (const span of record.spans) {
        const trace = arrivals.get(hex(span.traceId)) ?? { root: 0, last: 0, rootMs: 0, lastEndMs: 0 };
        trace.last = at;
        trace.lastEndMs = Math.max(trace.lastEndMs, span.endMs);
        if (span.parentSpanId === undefined) {
          trace.root = at;
          if (span.attributes['http.response.status_code'] === 504) trace.rootMs = span.endMs;
        }
        arrivals.set(hex(span.traceId), trace);
      }
    }
    const timedOut = [...arrivals.values()].filter((trace) => trace.rootMs > 0);
    expect(timedOut.length).toBe(truth.entries().reduce((sum, entry) => sum + entry.timedOut, 0));
    expect(timedOut.length).toBeGreaterThan(5);
    for (const trace of timedOut) expect(trace.lastEndMs).toBeGreaterThan(trace.rootMs);
    expect(timedOut.filter((trace) => trace.root === trace.last).length).toBeGreaterThan(timedOut.length / 2);
  });

  it('runs for ever when asked to, with outages that come again', () => {
    const { records } = fourNodeTraffic({
      ...OPTIONS,
      durationMs: Infinity,
      outages: { firstMs: 10_000, lengthMs: 5_000, everyMs: 30_000 },
    });
    const failuresByMinute = [0, 0, 0];
    for (const record of records) {
      if (record.atMs > 100_000) break;
      for (const span of record.spans) {
        if (span.attributes['error.type'] !== '57P03') continue;
        const round = Math.floor((span.startMs - 10_000) / 30_000);
        failuresByMinute[round] = (failuresByMinute[round] ?? 0) + 1;
      }
    }
    for (const failures of failuresByMinute) expect(failures).toBeGreaterThan(0);
  });
});

function spansOf(traffic: Traffic): ExportRecord['spans'] {
  return [...traffic.records].flatMap((record) => record.spans);
}

function digest(traffic: Traffic): string {
  const hash = createHash('sha256');
  for (const record of traffic.records) hash.update(`${record.atMs} ${record.instance.id}`).update(record.value);
  return hash.digest('hex');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function hexAt(bytes: Uint8Array, start: number, length: number): string {
  return hex(bytes.subarray(start, start + length));
}
