import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createKafka } from '../../lib/kafka/client.ts';
import { queryParquet } from '../../lib/testkit/duckdb.ts';
import { Receiver } from '../../lib/testkit/http-receiver.ts';
import { encodeReference, type ReferenceKeyValue, type ReferenceSpan } from '../../lib/testkit/otlp-reference.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { openTestBucket } from '../support/archived-bucket.ts';
import { Command } from '../support/command.ts';
import { redisContents } from '../support/redis-contents.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { readTopic, waitForRecords } from '../support/topic.ts';

const PARTITIONS = 2;
/** What a pattern finds, and what is redacted for its name; none may be seen again. */
const SECRETS = ['canary-0123456789abcdef', 'dropped-3f2a', 'hashed-3f2a', 'masked-3f2a', 'query-3f2a'];
/** Stands beside each secret and is no secret: who looks must find it, or does not look where spans are. */
const MARKER = 'visible-3f2a';

const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-canary-'));
let up: Command | undefined;
let apm: Receiver | undefined;

afterEach(async () => {
  up?.signal('SIGKILL');
  await up?.exited;
  await apm?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const [canary, dropped, hashed, masked, query] = SECRETS as [string, string, string, string, string];

function text(key: string, stringValue: string): ReferenceKeyValue {
  return { key, value: { stringValue } };
}

const HIDDEN: readonly ReferenceKeyValue[] = [
  text('note', `${MARKER} ${canary}`),
  text('long', `${'x'.repeat(300)} ${canary} ${canary}`),
  text('http.request.header.authorization', dropped),
  text('user.id', hashed),
  text('user.email', masked),
  text('url.full', `https://shop/${canary}?token=${query}`),
  {
    key: 'list',
    value: {
      arrayValue: { values: [{ kvlistValue: { values: [text('inner', canary), text('db.password', dropped)] } }] },
    },
  },
];

/** A span with a secret wherever OTLP has room for text that people write. */
function span(trace: number, fields: Partial<ReferenceSpan> = {}): ReferenceSpan {
  const traceId = Buffer.alloc(16, trace);
  return {
    traceId,
    spanId: Buffer.alloc(8, trace),
    name: `${MARKER} ${canary}`,
    kind: 2,
    startTimeUnixNano: '1700000000000000000',
    endTimeUnixNano: '1700000000100000000',
    attributes: [...HIDDEN],
    events: [{ name: `failed ${canary}`, attributes: [text('exception.message', canary), ...HIDDEN] }],
    links: [{ traceId, spanId: Buffer.alloc(8, 9), attributes: [...HIDDEN] }],
    status: { code: 2, message: `no ${canary}` },
    ...fields,
  };
}

function request(spans: ReferenceSpan[]): Buffer {
  return encodeReference({
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', 'shop'), ...HIDDEN] },
        scopeSpans: [{ scope: { name: 's', attributes: [...HIDDEN] }, spans }],
      },
    ],
  });
}

/** Names of places that hold a text, as it is or in hex. */
function placesWith(places: ReadonlyMap<string, Buffer>, secret: string): string[] {
  const hex = Buffer.from(secret).toString('hex');
  return [...places].filter(([, bytes]) => bytes.includes(secret) || bytes.includes(hex)).map(([name]) => name);
}

describe('a secret in spans', () => {
  it('is nowhere behind the router: not in topics, Redis, the archive, requests to others, logs or files', async () => {
    apm = await new Receiver().start();
    const destinations = path.join(folder, 'destinations.yaml');
    writeFileSync(
      destinations,
      JSON.stringify({ destinations: [{ name: 'apm', kind: 'otlp_http', url: apm.url, startAt: 'start' }] }),
    );
    const prefix = uniquePrefix('canary');
    const topics = topicNames(prefix);
    const ingest = `${prefix}-in`;
    const data = path.join(folder, 'data');
    up = new Command(['up', '--data', data, '--topic', ingest, '--partitions', String(PARTITIONS)], {
      SPANLOOM_PREFIX: prefix,
      LOG_LEVEL: 'debug',
      TRACE_IDLE_TIMEOUT_MS: '500',
      // The trace without a root stays open, so that Redis holds spans when it is looked at.
      TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '240000',
      ARCHIVE_RANGE_AGE_MAX_MS: '500',
      FORWARD_DESTINATIONS_PATH: destinations,
      REDACT_HASH: 'user.id',
      REDACT_MASK: 'user.email',
      REDACT_HASH_KEY: 'k',
      REDACT_PATTERNS: JSON.stringify([{ name: 'canary', pattern: 'canary-[0-9a-f]{16}' }]),
    });
    await up.line('stdout', /"ready":true/, 120_000);
    const producer = createKafka({ brokers: testStack().kafka, clientId: 'test-tracer' }).producer();
    await producer.connect();
    const values = [
      request([span(1), span(2, { parentSpanId: Buffer.alloc(8, 7) })]),
      // One span that is refused beside one that is not, and records that are nothing.
      request([span(3), span(4, { spanId: Buffer.alloc(8) })]),
      Buffer.from(`{"resourceSpans": ${canary} ${dropped}`),
      Buffer.from(`${canary}${dropped}`),
    ];
    await producer.send({ topic: ingest, messages: values.map((value) => ({ value })) });
    await producer.disconnect();

    const { bucket, close } = openTestBucket();
    const objects = async () => {
      const found = new Map<string, Buffer>();
      for await (const { key } of bucket.list(`${prefix}/`)) {
        const bytes = await bucket.get(key);
        if (bytes !== undefined) found.set(key, Buffer.from(bytes));
      }
      return found;
    };
    const places = new Map<string, Buffer>();
    try {
      const written = await waitForRecords(
        objects,
        (found) => [...found.keys()].some((key) => key.includes('/spans/')),
        60_000,
      );
      await waitForRecords(
        async () => apm?.received.length ?? 0,
        (requests) => requests > 0,
        60_000,
      );
      await waitForRecords(
        () => readTopic(topics.deadLetters, 1),
        ({ length }) => length === 3,
        60_000,
      );
      for (const [key, bytes] of written) places.set(`S3 ${key}`, await readable(key, bytes));
    } finally {
      await close();
    }
    for (const [name, topic] of Object.entries(topics)) {
      const count = ['incidents', 'alerterState', 'deadLetters'].includes(name) ? 1 : PARTITIONS;
      const records = await readTopic(topic, count);
      const parts = records.flatMap(({ key, value, headers }) => [key, value, ...headers.values()]);
      places.set(`topic ${name}`, Buffer.concat(parts.filter((part) => part !== null)));
    }
    places.set('Redis', await redisContents(testStack().redis, prefix));
    for (const { bytes } of apm.received) places.set('request to the APM', gunzipSync(bytes));
    up.signal('SIGINT');
    await up.exited;
    for (const file of globSync('**/*', { cwd: data, withFileTypes: true }).filter((entry) => entry.isFile())) {
      places.set(`file ${file.name}`, readFileSync(path.join(file.parentPath, file.name)));
    }
    places.set('output', Buffer.from([...up.stdout, ...up.stderr].join('\n')));

    const withMarker = placesWith(places, MARKER).join('\n');
    for (const place of ['topic spans', 'topic traces', 'Redis', 'request to the APM', '/spans/v1/']) {
      expect(withMarker).toContain(place);
    }
    expect([...places.keys()].filter((name) => name.endsWith('.log')).length).toBeGreaterThan(5);
    for (const secret of SECRETS) expect([secret, placesWith(places, secret)]).toEqual([secret, []]);
  });
});

/** Parquet is compressed: its rows are looked through as text. */
async function readable(key: string, bytes: Buffer): Promise<Buffer> {
  if (!key.endsWith('.parquet')) return bytes;
  const rows = await queryParquet([bytes], 'SELECT CAST(t AS VARCHAR) AS row FROM ?files t');
  return Buffer.from(rows.map(({ row }) => row).join('\n'));
}
