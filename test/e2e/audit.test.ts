import { afterEach, describe, expect, it } from '@jest/globals';
import { s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { AuditedPipeline } from '../support/audited-pipeline.ts';
import { testStack } from '../support/stack.ts';
import { readTopic } from '../support/topic.ts';

const SPANS = 12_000;
let pipeline: AuditedPipeline | undefined;

afterEach(async () => {
  pipeline?.up.signal('SIGKILL');
  await pipeline?.up.exited;
});

describe('spanloom audit', () => {
  it('finds a pipeline clean, and then each thing that is planted', async () => {
    pipeline = new AuditedPipeline('audit');
    const { up, prefix } = pipeline;
    await pipeline.ready();
    await pipeline.send(SPANS);
    const before = await pipeline.settled();
    expect(before).toMatchObject({ code: 0, clean: true });
    expect(before.stages.find(({ stage }) => stage === 'bundles')?.matched).toBe(SPANS);
    up.signal('SIGINT');
    expect(await up.exited).toBe(0);

    await plant(prefix);
    const after = await pipeline.audit();
    expect(after).toMatchObject({ code: 1, clean: false });
    const troubles = after.stages.map(({ stage, missing, double, foreign, altered }) => ({
      stage,
      ...{ missing: missing > 0, double: double > 0, foreign: foreign > 0, altered: altered > 0 },
    }));
    const none = { missing: false, double: false, foreign: false, altered: false };
    expect(troubles).toEqual([
      { stage: 'bundles', ...none, double: true },
      { stage: 'traces', ...none, double: true },
      { stage: 'edges', ...none, double: true },
      { stage: 'archive', ...none, missing: true },
    ]);
  }, 240_000);
});

/** A bundle, a trace record and an edge delta once more, and one object of the archive away. */
async function plant(prefix: string): Promise<void> {
  const names = topicNames(prefix);
  const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-planter' });
  const producer = kafka.producer();
  await producer.connect();
  for (const topic of [names.spans, names.traces, names.serviceEdges]) {
    const { key, value, headers, partition } = await firstRecord(topic);
    const copied = Object.fromEntries(headers);
    await producer.send({ topic, messages: [{ key, value, headers: copied, partition }] });
  }
  await producer.disconnect();
  const closes: (() => unknown)[] = [];
  const bucket = openBucket(readSettings(defineSettings(s3Settings), stackEnvironment(testStack())), {
    onClose: (close) => closes.push(close),
  });
  for await (const { key } of bucket.list(`${prefix}/spans/v1/`)) {
    await bucket.delete(key);
    break;
  }
  for (const close of closes) await close();
}

async function firstRecord(topic: string): Promise<LogRecord & { partition: number }> {
  const [record] = await readTopic(topic, 1);
  if (record === undefined) throw new Error(`${topic}/0 holds nothing`);
  return { ...record, partition: 0 };
}
