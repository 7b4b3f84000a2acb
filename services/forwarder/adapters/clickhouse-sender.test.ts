import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { ClickHouse, hasClickHouse } from '../../../lib/testkit/clickhouse/clickhouse.ts';
import { Receiver } from '../../../lib/testkit/http-receiver.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { randomRequest } from '../../../lib/testkit/otlp-random.ts';
import { encodeReference } from '../../../lib/testkit/otlp-reference.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import type { HttpDestination } from '../core/destination.ts';
import { readDestinations } from '../core/read-destinations.ts';
import type { Sender } from '../ports.ts';
import { createHttpSender } from './http-sender.ts';

const TABLE = path.join(import.meta.dirname, '../../../examples/clickhouse-traces.sql');
const BATCH = [1, 2].map((trace) => ({
  trace: assembledTrace(
    otlp(
      [
        {
          service: 'web',
          spans: [
            { id: 1, kind: 'server' },
            { id: 2, parent: 1 },
          ],
        },
      ],
      { trace },
    ),
  ),
  offset: trace,
  appendMs: 0,
}));
const go = new AbortController().signal;
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function senderTo(url: string, fields: object = {}): Sender {
  const { destinations, mistakes } = readDestinations(
    { destinations: [{ name: 'house', kind: 'clickhouse', url, ...fields }] },
    'spanloom',
  );
  expect(mistakes).toEqual([]);
  const sender = createHttpSender(destinations[0] as HttpDestination, { tls: {}, wallMs: () => 0 });
  closing.push(() => sender.close());
  return sender;
}

describe('the sender for ClickHouse', () => {
  it('inserts a batch as one statement that is named after it, with the login in headers', async () => {
    const receiver = await new Receiver().start();
    closing.push(() => receiver.stop());
    const login = { 'X-ClickHouse-User': 'spanloom', 'X-ClickHouse-Key': 'k' };
    const sender = senderTo(`${receiver.url}?async_insert=1`, { headers: login, table: 'apm.traces' });
    expect(await sender.send(BATCH, go, 'traces/0/1-2@7')).toEqual({ kind: 'delivered' });
    const [request] = receiver.received;
    const { searchParams } = new URL(request?.path ?? '', receiver.url);
    expect(Object.fromEntries(searchParams)).toEqual({
      query: 'INSERT INTO apm.traces FORMAT JSONEachRow',
      insert_deduplication_token: 'traces/0/1-2@7',
      input_format_skip_unknown_fields: '1',
      wait_end_of_query: '1',
      async_insert: '1',
    });
    expect(request?.headers).toMatchObject({ 'x-clickhouse-user': 'spanloom', 'x-clickhouse-key': 'k' });
    const lines = gunzipSync(request?.bytes ?? '')
      .toString()
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toHaveLength(4);
  });
});

/** The package chdb is ClickHouse's engine in Python: `pip install chdb`. */
const withEngine = hasClickHouse() ? describe : describe.skip;
withEngine("ClickHouse's own engine", () => {
  it('has every span once in the documented table, however often its batch is sent', async () => {
    const house = await ClickHouse.start(TABLE);
    closing.push(() => house.stop());
    const sender = senderTo(house.url);
    for (const id of ['a', 'a', 'b']) expect(await sender.send(BATCH, go, id)).toEqual({ kind: 'delivered' });
    const query = `SELECT TraceId, SpanId, ParentSpanId, ServiceName, SpanKind, StatusCode, toString(Duration) AS nanos,
      toUnixTimestamp64Nano(Timestamp)::String AS at, count()::String AS times FROM otel_traces GROUP BY ALL ORDER BY ALL`;
    const rows = await house.rows(query);
    expect(rows.map(({ times }) => times)).toEqual(['2', '2', '2', '2']);
    expect(rows[0]).toMatchObject({
      TraceId: '1'.padStart(32, '0'),
      SpanId: '1'.padStart(16, '0'),
      ParentSpanId: '',
      ServiceName: 'web',
      SpanKind: 'Server',
      StatusCode: 'Unset',
      at: String(BATCH[0]?.trace.startTimeUnixNano),
    });
  }, 60_000);

  it('takes whatever OTLP may hold: odd times, names, numbers, bytes and nested values', async () => {
    const house = await ClickHouse.start(TABLE);
    closing.push(() => house.stop());
    const sender = senderTo(house.url);
    const random = new SeededRandom(11);
    let spans = 0;
    for (let i = 0; i < 10; i++) {
      const batch = Array.from({ length: 20 }, (_, offset) => {
        // The router has made scope spans of the older library spans.
        const resourceSpans = randomRequest(random).resourceSpans?.map(({ librarySpans: _, ...rest }) => rest) ?? [];
        const trace = assembledTrace(encodeReference({ resourceSpans }));
        spans += trace.spanCount;
        return { trace, offset, appendMs: i };
      });
      expect(await sender.send(batch, go, `${i}`)).toEqual({ kind: 'delivered' });
    }
    expect(await house.rows('SELECT count()::String AS spans FROM otel_traces')).toEqual([{ spans: `${spans}` }]);
  }, 60_000);

  it('says what is wrong in a way that is understood', async () => {
    const house = await ClickHouse.start(TABLE);
    closing.push(() => house.stop());
    expect(await senderTo(house.url, { table: 'nowhere' }).send(BATCH, go, 'a')).toMatchObject({
      kind: 'retry',
      why: expect.stringMatching(/^it answered 404: Code: 60\..*correct the table/),
    });
    expect(await senderTo(`${house.url}?no_such_setting=1`).send(BATCH, go, 'a')).toMatchObject({
      kind: 'retry',
      why: expect.stringContaining('Code: 115.'),
    });
  }, 60_000);
});
