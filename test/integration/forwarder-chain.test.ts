import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin, Producer } from 'kafkajs';
import { benchTraces } from '../../bench/spans.ts';
import { type AssembledTrace, assembledTraceCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { forwarder } from '../../services/forwarder/main.ts';
import { spanRouter } from '../../services/span-router/main.ts';
import { traceAssembler } from '../../services/trace-assembler/main.ts';
import { Command } from '../support/command.ts';
import { type ServiceUnderTest, startService } from '../support/service.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { readTopic, waitForRecords } from '../support/topic.ts';

/** Another pipeline is the APM: forwarder → collector → ingest topic → router → assembler. */

const PARTITIONS = 2;
const TRACES = 400;
const SPANS_PER_TRACE = 6;
const SPANS = TRACES * SPANS_PER_TRACE;
const TEST_MS = 240_000;
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-chain-'));
const services: ServiceUnderTest[] = [];
const commands: Command[] = [];
let producer: Producer;
let admin: Admin;

beforeAll(async () => {
  const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-assembler' });
  producer = kafka.producer();
  admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
});

afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
  for (const command of commands.splice(0)) {
    command.signal('SIGTERM');
    await command.exited;
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([producer.disconnect(), admin.disconnect()]);
});

function run(service: string, env: Readonly<Record<string, string>>): Command {
  const command = new Command(['service', service], { METRICS_PORT: '0', LOG_FORMAT: 'json', ...env });
  commands.push(command);
  return command;
}

const made: AssembledTrace[] = [];
for (const { otlp } of benchTraces(SPANS_PER_TRACE, 7)) {
  if (made.length === TRACES) break;
  made.push(assembledTrace(otlp));
}

/** Bytes of resource and span by trace and span id, once for each time that the span is there. */
function spansIn(requests: readonly Buffer[]): Map<string, string[]> {
  const table = new SpanTable();
  const found = new Map<string, string[]>();
  for (const bytes of requests) {
    expect(scanOtlpRequest(bytes, table)).toBeUndefined();
    for (let row = 0; row < table.count; row++) {
      const at = (column: Int32Array) => column[row] as number;
      const context = at(table.context);
      const key =
        bytes.toString('hex', at(table.traceId), at(table.traceId) + 16) +
        bytes.toString('hex', at(table.spanId), at(table.spanId) + 8);
      const resource = bytes.toString('hex', table.resourceStart[context], table.resourceEnd[context]);
      const content = `${resource}/${bytes.toString('hex', at(table.bodyStart), at(table.bodyEnd))}`;
      found.set(key, [...(found.get(key) ?? []), content]);
    }
  }
  return found;
}

const valuesOf = async (topic: string) => (await readTopic(topic, PARTITIONS)).map(({ value }) => value as Buffer);
const tracesOf = async (topic: string) => (await valuesOf(topic)).map((value) => assembledTraceCodec.decode(value));

describe.each([
  ['otlp_http', 'otlp'],
  ['otlp_grpc', 'grpc'],
] as const)('our own collector as the APM of %s', (kind, door) => {
  it(
    'gets every span as it was; what a killed forwarder sends twice is dropped there',
    async () => {
      const prefix = uniquePrefix(`chain-${door}`);
      const apm = uniquePrefix(`chain-${door}-apm`);
      const ingest = `${apm}-otlp`;
      await admin.createTopics({ waitForLeaders: true, topics: [{ topic: ingest, numPartitions: PARTITIONS }] });
      const collector = run('collector', { SPANLOOM_PREFIX: apm, COLLECTOR_TOPIC: ingest });
      const doors = JSON.parse(await collector.line('stdout', /"collector":/)).collector as Record<string, string>;
      const file = path.join(folder, `${door}.yaml`);
      const destination = {
        name: 'apm',
        kind,
        url: doors[door],
        startAt: 'start',
        batch: { spansMax: 60, waitMs: 20 },
      };
      writeFileSync(file, JSON.stringify({ destinations: [destination] }));
      const env = { SPANLOOM_PREFIX: prefix, PARTITIONS: String(PARTITIONS), FORWARD_DESTINATIONS_PATH: file };
      // Makes the topics.
      await (await startService(forwarder, env)).stop();
      const messages = made.map((trace, i) => ({ ...traceRecord(trace), partition: i % PARTITIONS }));
      await producer.send({ topic: topicNames(prefix).traces, messages });

      const countOf = async () => [...spansIn(await valuesOf(ingest)).keys()].length;
      const first = run('forwarder', env);
      await waitForRecords(countOf, (count) => count > SPANS / 10, 60_000);
      first.signal('SIGKILL');
      await first.exited;
      run('forwarder', env);
      await waitForRecords(countOf, (count) => count === SPANS, 60_000);

      const sent = spansIn(made.map(({ otlp }) => otlp));
      const taken = spansIn(await valuesOf(ingest));
      expect(taken.size).toBe(SPANS);
      for (const [key, copies] of taken) expect(new Set(copies)).toEqual(new Set(sent.get(key)));

      const shared = { SPANLOOM_PREFIX: apm, PARTITIONS: String(PARTITIONS) };
      services.push(await startService(spanRouter, { ...shared, INGEST_TOPICS: ingest }));
      const idle = { TRACE_IDLE_TIMEOUT_MS: '1500', TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '3000' };
      services.push(await startService(traceAssembler, { ...shared, ...idle }));
      const traces = await waitForRecords(
        () => tracesOf(topicNames(apm).traces),
        (found) => found.reduce((sum, { spanCount }) => sum + spanCount, 0) >= SPANS,
        60_000,
      );
      const assembled = spansIn(traces.map(({ otlp }) => otlp));
      expect(assembled).toEqual(sent);
      const copies = [...taken.values()].reduce((sum, all) => sum + all.length - 1, 0);
      expect(traces.reduce((sum, { duplicateCount }) => sum + duplicateCount, 0)).toBe(copies);
    },
    TEST_MS,
  );
});
