import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { type Incident, incidentCodec } from '../../lib/codec/incident-records.ts';
import { deadLetterCodec, type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { Command } from '../../test/support/command.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import { failingDatabase, windowAgo } from './core/failing-database.testkit.ts';
import { alerter } from './main.ts';

/** On a busy machine a take-over takes a while. */
jest.setTimeout(120_000);

let producer: Producer;
const started: ServiceUnderTest[] = [];
const processes: Command[] = [];

beforeAll(async () => {
  producer = createKafka({ brokers: testStack().kafka, clientId: 'test-graph' }).producer();
  await producer.connect();
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  for (const process of processes.splice(0)) await kill(process);
});

afterAll(async () => {
  await producer.disconnect();
});

async function kill(process: Command): Promise<void> {
  process.signal('SIGKILL');
  await process.exited;
}

function pipeline(name: string) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  const settings = {
    SPANLOOM_PREFIX: prefix,
    PARTITIONS: '2',
    COMMIT_INTERVAL_MS: '100',
    ALERT_PENDING_MS: '500',
    ALERT_UPDATE_MS: '1000',
  };
  const send = (deltas: readonly ServiceEdgeDelta[]) =>
    producer.send({
      topic: topics.serviceEdges,
      messages: deltas.map((delta, i) => ({
        partition: i % 2,
        key: `${delta.client}|${delta.server}`,
        value: serviceEdgeDeltaCodec.encode(delta),
      })),
    });
  return {
    start: async () => {
      const service = await startService(alerter, settings);
      started.push(service);
      return service;
    },
    /** As a process of its own, which can be killed. @param crashAt as CRASH_AT takes it. */
    spawn: (crashAt = ''): Command => {
      const process = new Command(['service', 'alerter'], { ...settings, CRASH_AT: crashAt });
      processes.push(process);
      return process;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    send,
    sendBytes: (value: Buffer) => producer.send({ topic: topics.serviceEdges, messages: [{ partition: 0, value }] }),
    /** Ten minutes of health, the newest of them now. */
    healthy: () => send(Array.from({ length: 60 }, (_, i) => failingDatabase(windowAgo(60 - i), 200, 0)).flat()),
    failing: (errors: number) => send(failingDatabase(windowAgo(0), 200, errors)),
    incidents: (isEnough: (incidents: Incident[]) => boolean) =>
      waitForRecords<Incident[]>(
        async () => (await readTopic(topics.incidents, 1)).map(({ value }) => incidentCodec.decode(value as Buffer)),
        isEnough,
        90_000,
      ),
    letters: () =>
      waitForRecords(
        async () =>
          (await readTopic(topics.deadLetters, 1)).map(({ value }) => deadLetterCodec.decode(value as Buffer)),
        (letters) => letters.length > 0,
      ),
  };
}

describe('alerter', () => {
  it('says what broke, the cause and who is hit, once, though it is replaced meanwhile', async () => {
    const { start, stop, healthy, failing, incidents } = pipeline('alerter');
    const first = await start();
    await healthy();
    await failing(60);
    const [opened] = await incidents((seen) => seen.length >= 1);
    expect(opened).toMatchObject({
      seq: 1,
      state: 'open',
      cause: { service: 'orders-db', peerKind: 'database' },
      blast: { entryOperations: [{ service: 'gateway', operation: 'GET /orders', affected: 60, total: 200 }] },
    });
    expect(opened?.summary).toContain('orders-db');
    await stop(first);
    const second = await start();
    await failing(120);
    const all = await incidents((seen) => seen.length >= 2);
    expect(new Set(all.map(({ incidentId }) => incidentId))).toEqual(new Set([opened?.incidentId]));
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all.at(-1)?.blast.affectedRequests).toBe(180);
    expect(await second.metrics.registry.metrics()).toContain('spanloom_alerter_open_incidents 1');
  });

  it('announces nothing twice and nothing anew when it is killed, between writing and committing too', async () => {
    const { start, stop, spawn, healthy, failing, incidents } = pipeline('alerter-killed');
    await stop(await start());
    await healthy();
    await failing(60);
    // What is there is one or two transactions, the announcement another.
    const inCommit = spawn('before-commit:2');
    await inCommit.exited;
    const atAnyTime = spawn();
    await incidents((seen) => seen.length >= 1);
    await failing(60);
    await kill(atAnyTime);
    spawn();
    const affected = ({ blast }: Incident) => blast.affectedRequests;
    await incidents((seen) => seen.some((one) => affected(one) === 120));
    await failing(60);
    const all = await incidents((seen) => seen.some((one) => affected(one) === 180));
    expect(new Set(all.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all.map(({ state }) => state)).toEqual(all.map((_, i) => (i === 0 ? 'open' : 'updated')));
  }, 300_000);

  it('lets one of two work, and the other take over', async () => {
    const { start, stop, healthy, failing, incidents } = pipeline('standby');
    const first = await start();
    const second = await start();
    const active = async (service: ServiceUnderTest) =>
      / 1$/m.test(await service.metrics.registry.getSingleMetricAsString('spanloom_alerter_active'));
    await waitForRecords(
      async () => [await active(first), await active(second)],
      (both) => both.filter(Boolean).length === 1,
    );
    await healthy();
    const [atWork] = (await active(first)) ? [first] : [second];
    await stop(atWork);
    await failing(80);
    expect(await incidents((seen) => seen.length >= 1)).toMatchObject([{ cause: { service: 'orders-db' } }]);
  });

  it('refuses a record that no graph-builder wrote, and goes on', async () => {
    const { start, healthy, failing, sendBytes, letters, incidents } = pipeline('alerter-foreign');
    await start();
    await sendBytes(Buffer.from('nonsense'));
    await healthy();
    await failing(80);
    expect(await incidents((seen) => seen.length >= 1)).toHaveLength(1);
    expect(await letters()).toMatchObject([{ reason: 'undecodable', code: 'EDGES_FOREIGN_RECORD', offset: 0 }]);
  });
});
