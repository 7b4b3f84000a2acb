import { afterEach, describe, expect, it } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { benchMessages, SPANS_PER_MESSAGE } from '../../bench/spans.ts';
import type { StageFindings } from '../../cli/audit/findings.ts';
import { readLog } from '../../cli/audit/read-log.ts';
import { openTopic } from '../../cli/kafka/open-topic.ts';
import { ledgerEntryCodec } from '../../lib/codec/records.ts';
import { s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { AuditedPipeline, type AuditResult, PARTITIONS } from '../support/audited-pipeline.ts';
import type { Command } from '../support/command.ts';
import { type Scrape, scrape } from '../support/scrape.ts';
import { testStack } from '../support/stack.ts';
import { readTopic, waitForRecords } from '../support/topic.ts';

const SPANS = 12_000;
let pipeline: AuditedPipeline | undefined;
let follower: Command | undefined;

afterEach(async () => {
  follower?.signal('SIGKILL');
  await follower?.exited;
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
    follower = pipeline.follow();
    const watched = follower;
    const judged = async (isEnough: (judged: Scrape) => boolean) =>
      waitForRecords(async () => scrape(watched), isEnough, 120_000);

    // What an assembler has not taken yet is open: a service that stands still must not look like one that is done.
    const assembler = up.services().get('trace-assembler') as number;
    process.kill(assembler, 'SIGSTOP');
    try {
      await pipeline.send(SPANS);
      const bundled = ({ stages }: AuditResult) =>
        stages.find(({ stage }) => stage === 'bundles')?.matched === 2 * SPANS;
      const standing = await waitForRecords(() => (pipeline as AuditedPipeline).audit(), bundled, 120_000);
      expect(standing.stages.find(({ stage }) => stage === 'traces')?.open).toBeGreaterThan(PARTITIONS * 2);
    } finally {
      process.kill(assembler, 'SIGCONT');
    }
    expect(await pipeline.settled()).toMatchObject({ code: 0, clean: true });
    // Each part was judged in one round of the follower, whenever it became due, and none was held against anyone.
    const clean = await judged((all) => STAGES.every((stage) => (all.get(openOf(stage)) ?? 1) === 0));
    expect(clean.get(judgedOf('bundles', 'matched'))).toBe(2 * SPANS);
    expect(clean.get(roundsOf('clean'))).toBeGreaterThan(0);
    expect(clean.get(roundsOf('unclean')) ?? 0).toBe(0);
    up.signal('SIGINT');
    expect(await up.exited).toBe(0);

    await plant(pipeline);
    const names = topicNames(prefix);
    const after = await pipeline.audit();
    expect(after).toMatchObject({ code: 1, clean: false });
    const troubles = after.stages.map(({ stage, missing, double, foreign, altered }) => ({
      stage,
      ...{ missing: missing > 0, double: double > 0, foreign: foreign > 0, altered: altered > 0 },
    }));
    const none = { missing: false, double: false, foreign: false, altered: false };
    expect(troubles).toEqual([
      { stage: 'bundles', ...none, missing: true, double: true, foreign: true },
      { stage: 'traces', ...none, double: true, foreign: true },
      { stage: 'edges', ...none, double: true, foreign: true },
      { stage: 'archive', ...none, missing: true },
    ]);
    // One message of 50 spans that is lost, one that nobody sent; a record that is nobody's on each output.
    expect(after.stages.map(({ missing, foreign }) => ({ missing, foreign }))).toEqual([
      { missing: SPANS_PER_MESSAGE, foreign: SPANS_PER_MESSAGE + 2 },
      { missing: 0, foreign: 1 },
      { missing: 0, foreign: 1 },
      { missing: 1, foreign: 0 },
    ]);
    const named = after.stages
      .filter(({ stage }) => stage !== 'archive')
      .flatMap(({ examples }) => examples.map(({ kind, at }) => `${kind} ${at.split('@')[0]}`));
    expect([...new Set(named)].sort()).toEqual(
      [
        `missing ${pipeline.ingestTopic}/0`,
        ...[names.spans, names.traces, names.serviceEdges].flatMap((topic) => [
          `double ${topic}/0`,
          `foreign ${topic}/0`,
        ]),
        `foreign ${names.deadLetters}/0`,
      ].sort(),
    );
    // Of an input that was judged in an earlier round, what is foreign counts as double, and a delta as one, not by its counters.
    const expected = after.stages.filter(({ stage }) => stage === 'bundles' || stage === 'traces');
    const found = await judged((all) => expected.every((of) => troublesIn(all, of.stage) === troublesOf(of)));
    expect(found.get(judgedOf('edges', 'double'))).toBeGreaterThan(0);
    expect(found.get(judgedOf('edges', 'foreign'))).toBeGreaterThan(0);
    expect(found.get(roundsOf('unclean'))).toBeGreaterThan(0);
    follower.signal('SIGTERM');
    expect(await follower.exited).toBe(0);
  }, 600_000);
});

/**
 * A bundle, a trace record and an edge delta once more; a bundle whose spans nobody sent; records that are nobody's on
 * each output; an ingest record that the router's ledger has behind it though no bundle came of it; and one object of
 * the archive away.
 */
async function plant({ prefix, ingestTopic }: AuditedPipeline): Promise<void> {
  const names = topicNames(prefix);
  const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-planter' });
  const producer = kafka.producer();
  await producer.connect();
  const send = (topic: string, message: Message) => producer.send({ topic, messages: [{ partition: 0, ...message }] });
  for (const topic of [names.spans, names.traces, names.serviceEdges]) {
    const { key, value, headers } = await firstRecord(topic);
    await send(topic, { key, value, headers: Object.fromEntries(headers) });
  }
  const [unsent, lost] = [...benchMessages(SPANS, UNSENT_SEED)] as [Buffer, Buffer];
  const { key, headers } = await firstRecord(names.spans);
  await send(names.spans, { key, value: unsent, headers: Object.fromEntries(headers) });
  for (const topic of [names.spans, names.traces, names.serviceEdges, names.deadLetters]) {
    await send(topic, { value: 'not ours' });
  }
  const [sent] = await send(ingestTopic, { value: lost });
  await pretendRouted(kafka, prefix, ingestTopic, Number(sent?.baseOffset) + 1, (partition, message) =>
    send(names.routerLedger, { ...message, partition }),
  );
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

/** Writes the router's last ledger entry of ingest partition 0 once more, with another position. */
async function pretendRouted(
  kafka: Kafka,
  prefix: string,
  ingestTopic: string,
  applied: number,
  send: (partition: number, message: Message) => Promise<unknown>,
): Promise<void> {
  const { logs, close } = await openTopic(kafka, topicNames(prefix).routerLedger);
  try {
    for (const [partition, log] of logs.entries()) {
      const { start, end } = await log.bounds();
      let last: LogRecord | undefined;
      for await (const records of readLog(log, start, end)) {
        last = records.findLast((record) => record.key?.toString().endsWith(`/${ingestTopic}/0/entry`)) ?? last;
      }
      if (last?.value == null) continue;
      const entry = { ...ledgerEntryCodec.decode(last.value), applied };
      await send(partition, { key: last.key, value: ledgerEntryCodec.encode(entry) });
      return;
    }
  } finally {
    await close();
  }
  throw new Error('the router has no ledger entry of ingest partition 0');
}

async function firstRecord(topic: string): Promise<LogRecord> {
  const [record] = await readTopic(topic, 1);
  if (record === undefined) throw new Error(`${topic}/0 holds nothing`);
  return record;
}

function judgedOf(stage: string, outcome: string): string {
  return `spanloom_audit_judged_total{stage="${stage}",outcome="${outcome}"}`;
}

function openOf(stage: string): string {
  return `spanloom_audit_open{stage="${stage}"}`;
}

function roundsOf(outcome: string): string {
  return `spanloom_audit_rounds_total{outcome="${outcome}"}`;
}

function troublesOf({ missing, double, foreign }: Pick<StageFindings, 'missing' | 'double' | 'foreign'>): string {
  return `${missing} missing, ${double + foreign} too many`;
}

function troublesIn(all: Scrape, stage: string): string {
  const [missing, double, foreign] = ['missing', 'double', 'foreign'].map(
    (kind) => all.get(judgedOf(stage, kind)) ?? 0,
  );
  return troublesOf({ missing, double, foreign } as StageFindings);
}

const STAGES = ['bundles', 'traces', 'edges', 'archive'];
/** None that the pipeline sends. */
const UNSENT_SEED = 9_999;
