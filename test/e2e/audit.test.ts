import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { benchMessages } from '../../bench/spans.ts';
import type { StageFindings } from '../../cli/audit/findings.ts';
import { s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { Command, runCommand } from '../support/command.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { readTopic, waitForRecords } from '../support/topic.ts';

const SPANS = 12_000;
const PARTITIONS = 2;
let up: Command | undefined;

afterEach(async () => {
  up?.signal('SIGKILL');
  await up?.exited;
});

describe('spanloom audit', () => {
  it('finds a pipeline clean whose workers were killed, and then each thing that is planted', async () => {
    const prefix = uniquePrefix('audit');
    const topic = `${prefix}-otlp`;
    const env = { SPANLOOM_PREFIX: prefix, TRACE_IDLE_TIMEOUT_MS: '1000', TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '2000' };
    const settings = { ...env, ARCHIVE_RANGE_AGE_MAX_MS: '1000' };
    const audit = async () => {
      const { code, stdout, stderr } = await runCommand(['audit', '-o', 'json'], env);
      if (stdout.length === 0) throw new Error(stderr.join('\n'));
      return { code, ...(JSON.parse(stdout.at(-1) as string) as { clean: boolean; stages: StageFindings[] }) };
    };

    up = new Command(['up', '--topic', topic, '--partitions', String(PARTITIONS)], settings);
    await up.line('stdout', /"ready":true/);
    await produce(topic, env, 1);
    for (const service of ['span-router', 'trace-assembler', 'graph-builder', 'archiver']) {
      process.kill(up.services().get(service) as number, 'SIGKILL');
    }
    await produce(topic, env, 2);
    const isThrough = (stages: readonly StageFindings[]) =>
      stages.every(({ matched, open, skipped }) => matched > 0 && open <= PARTITIONS * MARKERS && skipped === null);
    const before = await waitForRecords(audit, ({ stages }) => isThrough(stages), 90_000);
    expect(before).toMatchObject({ code: 0, clean: true });
    expect(before.stages.find(({ stage }) => stage === 'bundles')?.matched).toBe(2 * SPANS);
    up.signal('SIGINT');
    expect(await up.exited).toBe(0);

    await plant(prefix);
    const after = await audit();
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

/** Markers of the last transactions stand at the end of a partition, and count as open. */
const MARKERS = 2;

async function produce(topic: string, env: Record<string, string>, seed: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-audit-'));
  try {
    const file = path.join(folder, 'spans.otlp');
    const framed = [...benchMessages(SPANS, seed)].flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    });
    writeFileSync(file, Buffer.concat(framed));
    expect(await runCommand(['produce', file, '--topic', topic], env)).toMatchObject({ code: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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
