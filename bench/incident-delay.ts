/**
 * How long it takes on real servers, with every setting as it comes, from Kafka's acknowledgement of the first faulty span
 * to the incident record that names its cause.
 *
 *     node scripts/run.js script bench/incident-delay.ts [--faults 12] [--rate 5] [--share 0.3] [--json]
 *
 * As many separate systems of three services run side by side for a minute; then in each the calls to its database begin
 * to fail, one system after the other, so that faults begin at every point of the ten-second windows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Kafka } from 'kafkajs';
import { tailTopic } from '../cli/kafka/tail-topic.ts';
import { MessageSender } from '../cli/produce/message-sender.ts';
import type { ServiceName } from '../cli/services.ts';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { incidentCodec } from '../lib/codec/incident-records.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { createLogs } from '../lib/kafka/partition-log.ts';
import { otlp } from '../lib/testkit/otlp-builder.ts';
import { type Stack, stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { percentile } from './report.ts';

const { values: options } = parseArgs({
  options: {
    faults: { type: 'string', default: '12' },
    rate: { type: 'string', default: '5' },
    share: { type: 'string', default: '0.3' },
    json: { type: 'boolean', default: false },
  },
});
const FAULTS = Number(options.faults);
const REQUESTS_PER_SECOND = Number(options.rate);
const FAILING_SHARE = Number(options.share);
const PREFIX = 'incident-delay';
const INGEST = 'otlp_spans';
const PARTITIONS = 2;
const SERVICES: readonly ServiceName[] = ['span-router', 'trace-assembler', 'graph-builder', 'alerter'];
const HEALTHY_MS = 60_000;
/** Faults begin so far apart: not a divisor of a window's ten seconds. */
const APART_MS = 3_300;
const FOLLOWED_MS = 90_000;

/** Milliseconds on the clock of `performance.now()`. */
interface Fault {
  acknowledgedMs?: number;
  announcedMs?: number;
  cause?: string;
}

const progress = (line: string) => void process.stderr.write(`${line}\n`);
const stack = await startStack({ onProgress: progress });
const logFolder = mkdtempSync(path.join(tmpdir(), 'spanloom-delay-'));
let supervisor: Supervisor | undefined;
try {
  const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: PREFIX });
  await createIngestTopic(kafka);
  supervisor = new Supervisor({
    scale: new Map(SERVICES.map((service) => [service, 1])),
    env: environment(stack),
    logFolder,
    onEvent: ({ name, kind }) => progress(`${name} ${kind}`),
  });
  await supervisor.start();
  report(await run(kafka));
} finally {
  await supervisor?.stop();
  await stack.stop();
  rmSync(logFolder, { recursive: true, force: true });
}

async function run(kafka: Kafka): Promise<readonly Fault[]> {
  const faults: Fault[] = Array.from({ length: FAULTS }, () => ({}));
  const logs = createLogs(kafka);
  const reading = new AbortController();
  const tail = tailTopic({
    logs: [logs.open(topicNames(PREFIX).incidents, 0)],
    from: 'start',
    untilEnd: false,
    signal: reading.signal,
    onRecord: ({ value }) => {
      if (value === null) return;
      const { cause, blast } = incidentCodec.decode(value);
      const entry = blast.entryOperations[0]?.service ?? cause.service;
      const fault = faults[Number(/-(\d+)$/.exec(entry)?.[1] ?? -1)];
      if (fault === undefined || fault.announcedMs !== undefined) return;
      fault.announcedMs = performance.now();
      fault.cause = cause.service;
    },
  });
  await sendTraffic(kafka, faults);
  reading.abort();
  await tail;
  await logs.close();
  return faults;
}

async function sendTraffic(kafka: Kafka, faults: readonly Fault[]): Promise<void> {
  const sender = await MessageSender.connect(kafka, INGEST);
  const beganMs = performance.now();
  const untilMs = beganMs + HEALTHY_MS + FAULTS * APART_MS + FOLLOWED_MS;
  const waiting = () => faults.some(({ announcedMs }) => announcedMs === undefined);
  let trace = 0;
  for (let tick = 0; performance.now() < untilMs && waiting(); tick++) {
    const dueMs = beganMs + (tick * 1000) / REQUESTS_PER_SECOND;
    if (dueMs > performance.now()) await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    const nowFaulty: Fault[] = [];
    for (const [i, fault] of faults.entries()) {
      const isFaulty = dueMs - beganMs > HEALTHY_MS + i * APART_MS;
      // Evenly spread, so that each second of a fault has its share.
      const fails = isFaulty && Math.floor(tick * FAILING_SHARE) !== Math.floor((tick - 1) * FAILING_SHARE);
      if (fails) nowFaulty.push(fault);
      await sender.add(request(i, ++trace, fails));
    }
    await sender.flush();
    for (const fault of nowFaulty) fault.acknowledgedMs ??= performance.now();
    if (tick % (30 * REQUESTS_PER_SECOND) === 0) {
      progress(`${Math.round((dueMs - beganMs) / 1000)} s: ${faults.filter((one) => one.announcedMs).length} told`);
    }
  }
  await sender.close();
}

/** Gateway → shop → database, of system `i`; when it fails, the error goes all the way up. */
function request(i: number, trace: number, fails: boolean): Buffer {
  const db = { 'db.system.name': 'postgresql', 'server.address': `orders-db-${i}`, 'db.operation.name': 'SELECT' };
  const error = fails ? 'connection refused' : undefined;
  const failed = error === undefined ? {} : { error };
  return otlp(
    [
      {
        service: `gateway-${i}`,
        spans: [
          { id: 1, kind: 'server', name: 'GET /orders', start: 0, duration: 30, ...failed },
          { id: 2, parent: 1, kind: 'client', name: 'GET', start: 1, duration: 28, ...failed },
        ],
      },
      {
        service: `shop-${i}`,
        spans: [
          { id: 3, parent: 2, kind: 'server', name: 'GET /api/orders', start: 3, duration: 22, ...failed },
          {
            id: 4,
            parent: 3,
            kind: 'client',
            name: 'SELECT orders',
            start: 5,
            duration: 12,
            attributes: db,
            ...failed,
          },
        ],
      },
    ],
    {
      trace: `${'5'.padStart(16, '0')}${(trace * 0x9e3779b1).toString(16).padStart(16, '0')}`,
      epochMs: Date.now() - 40,
    },
  );
}

async function createIngestTopic(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const topics = [{ topic: INGEST, numPartitions: PARTITIONS, replicationFactor: 1 }];
  await admin.createTopics({ waitForLeaders: true, topics });
  await admin.disconnect();
}

function environment({ addresses }: Stack): Record<string, string | undefined> {
  const names = { SPANLOOM_PREFIX: PREFIX, PARTITIONS: String(PARTITIONS), INGEST_TOPICS: INGEST };
  return { ...process.env, ...stackEnvironment(addresses), ...names, LOG_FORMAT: 'json' };
}

function report(faults: readonly Fault[]): void {
  const seconds = faults.flatMap(({ acknowledgedMs, announcedMs }) =>
    acknowledgedMs === undefined || announcedMs === undefined ? [] : [(announcedMs - acknowledgedMs) / 1000],
  );
  const ms = seconds.map((one) => one * 1000);
  const result = {
    faults: faults.length,
    told: seconds.length,
    causeRight: faults.filter(({ cause }, i) => cause === `orders-db-${i}`).length,
    delayS: { min: round(Math.min(...ms)), median: round(percentile(ms, 0.5)), max: round(Math.max(...ms)) },
  };
  if (options.json) console.log(JSON.stringify(result));
  else console.log(`${result.told} of ${result.faults} told, ${result.causeRight} causes right; delay`, result.delayS);
  if (result.told < result.faults) process.exitCode = 1;
}

function round(ms: number): number {
  return Math.round(ms / 100) / 10;
}
