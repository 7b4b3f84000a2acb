import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { createKafka } from '../../lib/kafka/client.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { freePort } from '../../lib/testkit/stack/native/ports.ts';
import { type Stack, startStack } from '../../lib/testkit/stack/stack.ts';
import { STRANGER, TLS } from '../../lib/testkit/tls-certificates.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import { forwarder } from './main.ts';

/** A cluster of others: a broker of its own with a listener that wants TLS and a login. */
const LOGIN = { username: 'spanloom', password: 's3cret' };
/** Without Java and Maven there is no such broker. */
const native = process.env['SPANLOOM_TEST_STACK'] === 'native' ? describe : describe.skip;
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-secure-'));
const started: ServiceUnderTest[] = [];
let stack: Stack | undefined;
let secure: string;
let others: Kafka;

function pem(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function startSecureKafka(): Promise<void> {
  const port = await freePort();
  secure = `127.0.0.1:${port}`;
  const { KAFKA_BROKERS: _, ...env } = process.env;
  stack = await startStack({
    services: ['kafka'],
    env: { ...env, SPANLOOM_STACK: 'native' },
    secureKafka: { port, ...TLS, ...LOGIN },
  });
  others = createKafka({ brokers: stack.addresses.kafka, clientId: 'test-others' });
}

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stack?.stop();
});

native('a topic of another cluster', () => {
  beforeAll(startSecureKafka, 180_000);

  it('is reached over TLS with either login, and not with a wrong one or a wrong authority', async () => {
    const ca = pem('ours.pem', TLS.cert);
    const destinations = {
      plain: { tls: { caPath: ca }, sasl: { mechanism: 'plain', ...LOGIN } },
      scram: { tls: { caPath: ca }, sasl: { mechanism: 'scram-sha-256', ...LOGIN } },
      'wrong-login': { tls: { caPath: ca }, sasl: { mechanism: 'plain', ...LOGIN, password: 'wrong' } },
      'wrong-authority': {
        tls: { caPath: pem('others.pem', STRANGER.cert) },
        sasl: { mechanism: 'plain', ...LOGIN },
      },
    };
    const names = Object.keys(destinations);
    const admin = others.admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: names.map((topic) => ({ topic, numPartitions: 1 })) });
    await admin.disconnect();

    const file = pem(
      'destinations.yaml',
      JSON.stringify({
        destinations: Object.entries(destinations).map(([name, fields]) => ({
          ...{ name, kind: 'kafka', topic: name, brokers: [secure], startAt: 'start', batch: { waitMs: 50 } },
          ...fields,
        })),
      }),
    );
    const prefix = uniquePrefix('forwarder-secure');
    const service = await startService(forwarder, {
      SPANLOOM_PREFIX: prefix,
      PARTITIONS: '1',
      FORWARD_DESTINATIONS_PATH: file,
    });
    started.push(service);
    const producer = createKafka({ brokers: testStack().kafka, clientId: 'test-assembler' }).producer();
    await producer.connect();
    const traces = [1, 2, 3].map((trace) => assembledTrace(otlp([{ service: 'web', spans: [{ id: 1 }] }], { trace })));
    await producer.send({ topic: topicNames(prefix).traces, messages: traces.map(traceRecord) });
    await producer.disconnect();

    const valuesIn = async (topic: string) =>
      (await readTopic(topic, 1, stack?.addresses.kafka)).map(({ value }) => value);
    for (const name of ['plain', 'scram']) {
      await waitForRecords(
        () => valuesIn(name),
        ({ length }) => length === 3,
        60_000,
      );
      expect(await valuesIn(name)).toEqual(traces.map(({ otlp: bytes }) => bytes));
    }
    const said = (name: string, what: RegExp) =>
      waitForRecords(
        async () => service.warnings.filter((line) => line.includes(`"${name}"`) && what.test(line)).length,
        (lines) => lines > 0,
        60_000,
      );
    await said('wrong-login', /[Aa]uthentication/);
    await said('wrong-authority', /self-signed certificate/);
    expect(service.warnings.join('\n')).not.toContain('s3cret');
    expect([await valuesIn('wrong-login'), await valuesIn('wrong-authority')]).toEqual([[], []]);
  }, 180_000);
});
