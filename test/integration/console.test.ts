import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Admin, Producer } from 'kafkajs';
import { s3Settings } from '../../lib/config/s3.ts';
import { defineSettings, readSettings, type Settings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { type Bucket, openBucket } from '../../lib/s3/bucket.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { otlp, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import { freePort } from '../../lib/testkit/stack/native/ports.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { archiver } from '../../services/archiver/main.ts';
import { consoleService } from '../../services/console/main.ts';
import { traceAssembler } from '../../services/trace-assembler/main.ts';
import { type ServiceUnderTest, startService } from '../support/service.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { waitForRecords } from '../support/topic.ts';

const PATIENCE_MS = 60_000;
const TEST_MS = 180_000;

let producer: Producer;
let admin: Admin;
let bucket: Bucket;
let folder: string;
const started: ServiceUnderTest[] = [];
const closes: (() => unknown)[] = [];

beforeAll(async () => {
  const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-traces' });
  producer = kafka.producer();
  admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  const settings = readSettings(defineSettings(s3Settings), stackEnvironment(testStack()));
  bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spanloom-console-'));
});
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  for (const close of closes) await close();
  await Promise.all([producer.disconnect(), admin.disconnect()]);
});

interface Found {
  readonly traces: readonly { readonly traceId: string; readonly spanCount: number }[];
}
interface Trace {
  readonly sources: readonly string[];
  readonly open: boolean;
  readonly revisions: number;
  readonly spans: readonly { readonly operation: string }[];
}

function pipeline(name: string) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  const env = { SPANLOOM_PREFIX: prefix, PARTITIONS: '1' };
  const start = async <S extends Settings>(service: ServiceDefinition<S>, more: Record<string, string> = {}) => {
    const running = await startService(service, { ...env, ...more });
    started.push(running);
    return running;
  };
  return {
    startAssembler: () =>
      start(traceAssembler, { TRACE_IDLE_TIMEOUT_MS: '200000', TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '200000' }),
    startArchiver: () => start(archiver, { ARCHIVE_RANGE_AGE_MAX_MS: '500' }),
    /** @returns asks for JSON; `stop` ends the console before the test does. */
    async startConsole(dataDir = path.join(folder, 'data')) {
      const port = await freePort();
      const service = await start(consoleService, {
        CONSOLE_PORT: String(port),
        CONSOLE_DATA_DIR: dataDir,
        CONSOLE_RETENTION_MS: '3600000',
      });
      const get = async (route: string): Promise<unknown> => {
        const response = await fetch(`http://127.0.0.1:${port}/api/console/${route}`);
        return response.ok ? response.json() : undefined;
      };
      return {
        find: (isEnough: (ids: string[]) => boolean) =>
          waitForRecords(
            async () => {
              const all = (await get(`traces?from=${Date.now() - 3_600_000}&limit=1000`)) as Found;
              return all.traces.map(({ traceId }) => traceId);
            },
            isEnough,
            PATIENCE_MS,
          ),
        trace: (id: number, isEnough: (trace: Trace) => boolean) =>
          waitForRecords(
            async () => (await get(`traces/${traceId(id)}`)) as Trace | undefined,
            (trace) => trace !== undefined && isEnough(trace),
            PATIENCE_MS,
          ) as Promise<Trace>,
        stop: async () => {
          started.splice(started.indexOf(service), 1);
          await service.stop();
        },
      };
    },
    archived: () =>
      waitForRecords(
        async () => {
          const keys: string[] = [];
          for await (const { key } of bucket.list(`${prefix}/spans/`)) keys.push(key);
          return keys;
        },
        (keys) => keys.some((key) => key.endsWith('.parquet')),
        PATIENCE_MS,
      ),
    /** As retention does it. */
    async forgetTraces(count: number) {
      // kafkajs looks for leaders only in what it knows already.
      await admin.fetchTopicOffsets(topics.traces);
      await admin.deleteTopicRecords({ topic: topics.traces, partitions: [{ partition: 0, offset: String(count) }] });
    },
    /** As an assembler writes it. */
    sendTrace(id: number, revision: number, spans: readonly SpanLiteral[]) {
      const atMs = Date.now();
      const trace = assembledTrace(otlp([{ service: 'web', spans }], { trace: id, epochMs: atMs }), {
        revision,
        startTime: atMs * 1000,
        startTimeUnixNano: BigInt(atMs) * 1_000_000n,
      });
      return producer.send({ topic: topics.traces, messages: [{ ...traceRecord(trace), partition: 0 }] });
    },
    sendSpans(id: number, spans: readonly SpanLiteral[]) {
      const value = otlp([{ service: 'web', spans }], { trace: id, epochMs: Date.now() });
      return producer.send({ topic: topics.spans, messages: [{ partition: 0, value }] });
    },
  };
}

function traceId(id: number): string {
  return id.toString(16).padStart(32, '0');
}

const ROOT: SpanLiteral = { id: 1, kind: 'server', name: 'GET /', duration: 30 };
const CHILD: SpanLiteral = { id: 2, parent: 1, name: 'work', start: 5 };
const LATE: SpanLiteral = { id: 3, parent: 1, name: 'late work', start: 20 };

describe('a trace that several places have', () => {
  it(
    'is put together from the hot store and its open window in Redis',
    async () => {
      const { startConsole, startAssembler, sendTrace, sendSpans } = pipeline('console-live');
      await startAssembler();
      const console = await startConsole();
      await sendSpans(1, [ROOT, CHILD]);
      const open = await console.trace(1, ({ spans }) => spans.length === 2);
      expect(open).toMatchObject({ sources: ['live'], open: true, revisions: 0 });
      await sendTrace(1, 1, [LATE]);
      const both = await console.trace(1, ({ spans }) => spans.length === 3);
      expect(both).toMatchObject({ sources: ['hot', 'live'], open: true, revisions: 1 });
    },
    TEST_MS,
  );

  it(
    'is put together from the hot store and the archive',
    async () => {
      const {
        startConsole,
        startArchiver,
        sendTrace,
        archived: isArchived,
        forgetTraces,
      } = pipeline('console-archive');
      await startArchiver();
      await sendTrace(1, 1, [ROOT, CHILD]);
      await isArchived();
      await forgetTraces(1);
      const console = await startConsole();
      const archived = await console.trace(1, ({ spans }) => spans.length === 2);
      expect(archived.sources).toEqual(['archive']);
      await sendTrace(1, 2, [LATE]);
      const both = await console.trace(1, ({ sources }) => sources.includes('hot'));
      expect(both.sources).toEqual(['hot', 'archive']);
      expect(both.spans.map(({ operation }) => operation).sort()).toEqual(['GET /', 'late work', 'work']);
    },
    TEST_MS,
  );
});

describe('a restart', () => {
  it(
    'keeps every trace that is within retention once, those that were not yet on disk as well',
    async () => {
      const { startConsole, sendTrace } = pipeline('console-restart');
      const ids = [1, 2, 3, 4, 5, 6];
      const expected = ids.map(traceId).sort();
      await startConsole().then(({ stop }) => stop());
      for (const id of ids.slice(0, 3)) await sendTrace(id, 1, [ROOT, CHILD]);
      const first = await startConsole();
      await first.find((found) => found.length >= 3);
      await first.stop();

      const second = await startConsole();
      for (const id of ids.slice(3)) await sendTrace(id, 1, [ROOT, CHILD]);
      await second.find((found) => found.length >= 6);
      // What a killed process leaves: the files as they are, without what only memory has.
      cpSync(path.join(folder, 'data'), path.join(folder, 'killed'), { recursive: true });
      expect((await second.find(() => true)).sort()).toEqual(expected);

      const third = await startConsole(path.join(folder, 'killed'));
      expect((await third.find((found) => found.length >= 6)).sort()).toEqual(expected);
    },
    TEST_MS,
  );
});
