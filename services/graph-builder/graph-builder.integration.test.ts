import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { deadLetterCodec, type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { otlp, type ResourceLiteral } from '../../lib/testkit/otlp-builder.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import { graphBuilder } from './main.ts';

let producer: Producer;
const started: ServiceUnderTest[] = [];

beforeAll(async () => {
  producer = createKafka({ brokers: testStack().kafka, clientId: 'test-assembler' }).producer();
  await producer.connect();
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
});

afterAll(async () => {
  await producer.disconnect();
});

function pipeline(name: string) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  return {
    start: async () => {
      const service = await startService(graphBuilder, {
        SPANLOOM_PREFIX: prefix,
        PARTITIONS: '1',
        COMMIT_INTERVAL_MS: '50',
      });
      started.push(service);
      return service;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    send: (resources: readonly ResourceLiteral[], trace: number) =>
      producer.send({
        topic: topics.traces,
        messages: [{ partition: 0, ...traceRecord(assembledTrace(otlp(resources, { trace }))) }],
      }),
    sendBytes: (value: Buffer) => producer.send({ topic: topics.traces, messages: [{ partition: 0, value }] }),
    /** Calls from web to app, and the requests of web's entry, once `isEnough`. */
    counts: (isEnough: (counts: { calls: number; entries: number }) => boolean) =>
      waitForRecords(async () => {
        const deltas = (await readTopic(topics.serviceEdges, 1)).map(({ value }) =>
          serviceEdgeDeltaCodec.decode(value as Buffer),
        );
        const sum = (of: (delta: ServiceEdgeDelta) => boolean) =>
          deltas.filter(of).reduce((calls, delta) => calls + delta.calls, 0);
        return {
          calls: sum(({ subject, client, server }) => subject === 'edge' && client === 'web' && server === 'app'),
          entries: sum(({ subject, server }) => subject === 'entry' && server === 'web'),
        };
      }, isEnough),
    letters: () =>
      waitForRecords(
        async () =>
          (await readTopic(topics.deadLetters, 1)).map(({ value }) => deadLetterCodec.decode(value as Buffer)),
        (letters) => letters.length > 0,
      ),
  };
}

const WEB: ResourceLiteral = {
  service: 'web',
  spans: [
    { id: 1, kind: 'server', name: 'GET /' },
    { id: 2, parent: 1, kind: 'client' },
  ],
};
const APP: ResourceLiteral = { service: 'app', spans: [{ id: 3, parent: 2, kind: 'server' }] };

describe('graph-builder', () => {
  it('counts every trace once, over restarts, and corrects what a late revision completes', async () => {
    const { start, stop, send, counts } = pipeline('graph');
    const first = await start();
    for (let trace = 1; trace <= 20; trace++) await send([WEB, APP], trace);
    await send([WEB], 21);
    await counts(({ entries }) => entries >= 21);
    await stop(first);
    await send([APP], 21);
    for (let trace = 22; trace <= 30; trace++) await send([WEB, APP], trace);
    const second = await start();
    expect(await counts(({ entries, calls }) => entries >= 30 && calls >= 30)).toEqual({ calls: 30, entries: 30 });
    const text = await second.metrics.registry.metrics();
    expect(text).toContain('spanloom_graph_builder_corrected_total 1');
    expect(text).toMatch(/traces_service_graph_request_total\{client="web",server="app",connection_type=""\} 10/);
    expect(text).toMatch(
      /traces_spanmetrics_calls_total\{service="web",span_name="GET \/",span_kind="SPAN_KIND_SERVER",/,
    );
  });

  it('refuses a record that no assembler wrote, and goes on', async () => {
    const { start, send, sendBytes, counts, letters } = pipeline('graph-foreign');
    await start();
    await sendBytes(Buffer.from('nonsense'));
    await send([WEB, APP], 1);
    expect(await counts(({ entries }) => entries >= 1)).toEqual({ calls: 1, entries: 1 });
    expect(await letters()).toMatchObject([{ reason: 'undecodable', code: 'TRACES_FOREIGN_RECORD', offset: 0 }]);
  });
});
