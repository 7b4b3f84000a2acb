import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Producer } from 'kafkajs';
import { type AssembledTrace, assembledTraceCodec, deadLetterCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { otlp, type ResourceLiteral } from '../../lib/testkit/otlp-builder.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import { traceAssembler } from './main.ts';

let producer: Producer;
let redis: Redis;
const started: ServiceUnderTest[] = [];

beforeAll(async () => {
  producer = createKafka({ brokers: testStack().kafka, clientId: 'test-router' }).producer();
  await producer.connect();
  redis = new Redis(testStack().redis);
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
});

afterAll(async () => {
  await producer.disconnect();
  await redis.quit();
});

function pipeline(name: string, env: Record<string, string> = {}) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  return {
    prefix,
    start: async () => {
      const service = await startService(traceAssembler, {
        SPANLOOM_PREFIX: prefix,
        PARTITIONS: '1',
        TRACE_IDLE_TIMEOUT_MS: '500',
        TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '1500',
        COMMIT_INTERVAL_MS: '50',
        ...env,
      });
      started.push(service);
      return service;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    send: (...resources: ResourceLiteral[]) =>
      producer.send({ topic: topics.spans, messages: [{ partition: 0, value: otlp(resources) }] }),
    sendBytes: (value: Buffer) => producer.send({ topic: topics.spans, messages: [{ partition: 0, value }] }),
    traces: (count: number) =>
      waitForRecords<AssembledTrace[]>(
        async () =>
          (await readTopic(topics.traces, 1)).map((record) => assembledTraceCodec.decode(record.value as Buffer)),
        (traces) => traces.length >= count,
      ),
    deadLetters: async () =>
      (await readTopic(topics.deadLetters, 1)).map((record) => deadLetterCodec.decode(record.value as Buffer)),
  };
}

const web = (...spans: ResourceLiteral['spans']): ResourceLiteral => ({ service: 'web', spans });
const app = (...spans: ResourceLiteral['spans']): ResourceLiteral => ({ service: 'app', spans });

describe.each(['redis', 'memory'])('trace-assembler with its windows in %s', (store) => {
  it('assembles a trace from several records and closes it without further traffic', async () => {
    const { start, send, traces } = pipeline('assemble', { WINDOW_STORE: store });
    await start();
    await send(app({ id: 2, parent: 1, kind: 'server', start: 1 }), app({ id: 9, trace: 2 }));
    await send(web({ id: 1, kind: 'server', name: 'GET /' }));
    const emitted = await traces(2);
    expect(emitted).toHaveLength(2);
    expect(emitted.find((trace) => trace.traceId.endsWith('1'))).toMatchObject({
      complete: true,
      spanCount: 2,
      rootOperation: 'GET /',
      revision: 1,
      closeReason: 'idle',
    });
  });

  it('gives late spans the next revision, and drops copies of what is out already', async () => {
    const { start, send, traces } = pipeline('late', { WINDOW_STORE: store });
    await start();
    await send(web({ id: 1 }));
    await traces(1);
    await send(web({ id: 1 }), app({ id: 2, parent: 1 }));
    await traces(2);
    await send(app({ id: 2, parent: 1 }));
    const emitted = await traces(3);
    expect(emitted.map(({ revision, spanCount, duplicateCount }) => [revision, spanCount, duplicateCount])).toEqual([
      [1, 1, 0],
      [2, 1, 1],
      [3, 0, 1],
    ]);
  });
});

describe('trace-assembler', () => {
  it('hands its open windows to the next process, which replays nothing', async () => {
    const { start, stop, send, traces } = pipeline('hand-off', {
      // Longer than a process takes to start on a busy machine: the window must still be open when it has.
      TRACE_IDLE_TIMEOUT_MS: '8000',
      TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '8000',
    });
    const first = await start();
    await send(web({ id: 1 }));
    await waitForRecords(
      async () => first.metrics.registry.getSingleMetricAsString('spanloom_trace_assembler_open_windows'),
      (text) => / 1$/m.test(text),
    );
    await stop(first);
    const second = await start();
    await send(app({ id: 2, parent: 1 }));
    const emitted = await traces(1);
    expect(emitted[0]).toMatchObject({
      complete: true,
      spanCount: 2,
      revision: 1,
      inputs: [0, 1],
    });
    const recoveries = await second.metrics.registry.getSingleMetricAsString(
      'spanloom_trace_assembler_recoveries_total',
    );
    expect(recoveries).toMatch(/how="hand_off"\} 1/);
  });

  it('rebuilds from Kafka when Redis loses everything in the middle of a trace', async () => {
    const { prefix, start, send, traces } = pipeline('redis-loss', {
      TRACE_IDLE_TIMEOUT_MS: '2000',
      TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '4000',
    });
    const service = await start();
    await send(web({ id: 1 }), web({ id: 7, trace: 2 }));
    await waitForRecords(
      () => redis.keys(`${prefix}:*:w:*`),
      (keys) => keys.length === 2,
    );
    await redis.del(...(await redis.keys(`${prefix}:*`)));
    await send(app({ id: 2, parent: 1 }));
    const emitted = await traces(2);
    expect(emitted).toHaveLength(2);
    expect(emitted.find((trace) => trace.traceId.endsWith('1'))).toMatchObject({ complete: true, spanCount: 2 });
    expect(service.warnings.join()).toContain('begins again');
  });

  it('refuses a record that no router wrote, and goes on', async () => {
    const { start, send, sendBytes, traces, deadLetters } = pipeline('foreign');
    await start();
    await sendBytes(Buffer.from([0x0a, 0x7f, 1, 2]));
    await sendBytes(otlp([web({ id: 1, trace: '0'.repeat(32) }, { id: 2, trace: 5 })]));
    await send(web({ id: 3 }));
    await traces(2);
    expect((await deadLetters()).map(({ reason, index }) => [reason, index])).toEqual([
      ['truncated', null],
      ['trace_id_zero', 0],
    ]);
  });
});
