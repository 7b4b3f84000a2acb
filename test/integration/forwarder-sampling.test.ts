import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { incidentCodec } from '../../lib/codec/incident-records.ts';
import { type AssembledTrace, type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { Receiver } from '../../lib/testkit/http-receiver.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { decodeReference, type ReferenceSpan } from '../../lib/testkit/otlp-reference.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { failingDatabase, windowAgo } from '../../services/alerter/core/failing-database.testkit.ts';
import { alerter } from '../../services/alerter/main.ts';
import { forwarder } from '../../services/forwarder/main.ts';
import { type ServiceUnderTest, startService } from '../support/service.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';
import { readTopic, waitForRecords } from '../support/topic.ts';

const PARTITIONS = 2;
const TEST_MS = 180_000;
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-sampling-'));
const services: ServiceUnderTest[] = [];
let producer: Producer;
let apm: Receiver;
let prefix: string;

beforeAll(async () => {
  producer = createKafka({ brokers: testStack().kafka, clientId: 'test-assembler' }).producer();
  await producer.connect();
});

afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
  await apm.stop();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await producer.disconnect();
});

/** A forwarder with one destination that samples. */
async function startForwarder(name: string, sampling: object): Promise<ServiceUnderTest> {
  prefix = uniquePrefix(name);
  apm = await new Receiver().start();
  const file = path.join(folder, `${name}.yaml`);
  const destination = {
    name: 'apm',
    kind: 'otlp_http',
    url: apm.url,
    startAt: 'start',
    batch: { waitMs: 50 },
    sampling,
  };
  writeFileSync(file, JSON.stringify({ destinations: [destination] }));
  const service = await startService(forwarder, { ...shared(), FORWARD_DESTINATIONS_PATH: file });
  services.push(service);
  return service;
}

const shared = () => ({ SPANLOOM_PREFIX: prefix, PARTITIONS: String(PARTITIONS) });

async function send(traces: readonly AssembledTrace[]) {
  const messages = traces.map((trace) => ({
    ...traceRecord(trace),
    partition: Number.parseInt(trace.traceId.slice(-1), 16) % PARTITIONS,
  }));
  await producer.send({ topic: topicNames(prefix).traces, messages });
}

function traceThrough(id: string, services: readonly string[], durationMs = 10): AssembledTrace {
  const spans = services.map((service, i) => ({
    service,
    spans: [{ id: i + 1, ...(i === 0 ? {} : { parent: i }), kind: 'server' as const, trace: id, duration: durationMs }],
  }));
  return assembledTrace(otlp(spans), {
    rootService: services[0] ?? '',
    rootOperation: 'GET /orders',
    durationNano: BigInt(durationMs) * 1_000_000n,
    services: services.map((service) => ({ service, spanCount: 1, errorCount: 0 })),
  });
}

const idOf = (n: number) => createHash('md5').update(String(n)).digest('hex');

function received(): ReferenceSpan[] {
  return apm.received.flatMap(({ bytes }) =>
    (decodeReference(gunzipSync(bytes)).resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
      scopeSpans.flatMap(({ spans = [] }) => spans),
    ),
  );
}

const traceIdOf = ({ traceId = new Uint8Array() }: ReferenceSpan) => Buffer.from(traceId).toString('hex');
const weightOf = ({ attributes = [] }: ReferenceSpan) =>
  attributes.find(({ key }) => key === 'sampling.weight')?.value?.doubleValue ?? Number.NaN;

/** Trace records by rule and decision. */
async function decisions(service: ServiceUnderTest): Promise<Record<string, number>> {
  const text = await service.metrics.registry.getSingleMetricAsString('spanloom_forwarder_sampled_traces_total');
  const lines = text.matchAll(/rule="([\w-]+)",decision="(\w+)"} (\d+)/g);
  return Object.fromEntries([...lines].map(([, rule, decision, count]) => [`${rule} ${decision}`, Number(count)]));
}

const decided = async (service: ServiceUnderTest) =>
  Object.values(await decisions(service)).reduce((sum, count) => sum + count, 0);

describe('sampling beside the other services', () => {
  it(
    'keeps the traces that pass what an incident blames, from when the alerter opens it',
    async () => {
      const service = await startForwarder('sampling-incident', {
        rules: [{ name: 'incidents', when: { openIncident: true } }],
      });
      const healthy = traceThrough(idOf(1), ['gateway', 'backend', 'stock']);
      await send([healthy]);
      await waitForRecords(
        () => decisions(service),
        (found) => found['rest dropped'] === 1,
      );

      const alerting = { COMMIT_INTERVAL_MS: '100', ALERT_PENDING_MS: '500', ALERT_UPDATE_MS: '1000' };
      services.push(await startService(alerter, { ...shared(), ...alerting }));
      const tell = (deltas: readonly ServiceEdgeDelta[]) =>
        producer.send({
          topic: topicNames(prefix).serviceEdges,
          messages: deltas.map((delta, i) => ({
            partition: i % PARTITIONS,
            value: serviceEdgeDeltaCodec.encode(delta),
          })),
        });
      await tell(Array.from({ length: 60 }, (_, i) => failingDatabase(windowAgo(60 - i), 200, 0)).flat());
      await tell(failingDatabase(windowAgo(0), 200, 60));
      const [incident] = await waitForRecords(
        async () =>
          (await readTopic(topicNames(prefix).incidents, 1)).map(({ value }) => incidentCodec.decode(value as Buffer)),
        ({ length }) => length > 0,
        90_000,
      );
      expect(incident).toMatchObject({ state: 'open', cause: { service: 'orders-db', caller: 'backend' } });
      // The forwarder reads the topic as soon as the test does, or half a second later.
      await new Promise((resolve) => setTimeout(resolve, 2_000));

      // A database sends no spans: it is the traces of its caller that are kept.
      const hit = [2, 3, 4].map((n) => traceThrough(idOf(n), ['gateway', 'backend', 'stock']));
      const exemplar = traceThrough(incident?.exemplars[0]?.traceId ?? '', ['gateway']);
      const others = [5, 6, 7].map((n) => traceThrough(idOf(n), ['gateway', 'cart']));
      const late = { ...healthy, revision: 2 };
      await send([...hit, ...others, exemplar, late]);
      await waitForRecords(
        () => decided(service),
        (count) => count === 1 + 8,
      );
      expect(await decisions(service)).toEqual({ 'rest dropped': 1 + 3 + 1, 'incidents kept': 4 });
      await waitForRecords(
        async () => received().length,
        (count) => count === 3 * 3 + 1,
      );
      const kept = new Set(received().map(traceIdOf));
      expect(kept).toEqual(new Set([...hit, exemplar].map(({ traceId }) => traceId)));
      expect(new Set(received().map(weightOf))).toEqual(new Set([1]));
    },
    TEST_MS,
  );

  it(
    'keeps what is slow, holds a limit on the rest, and its weights add up to what came',
    async () => {
      const perSecond = 800;
      const count = perSecond * 8;
      const limit = 100;
      const service = await startForwarder('sampling-share', {
        rules: [{ name: 'slow', when: { slowerThan: 'p99' } }],
        rest: { ratio: 0.5, tracesPerSecondMax: limit },
      });
      const isSlow = (n: number) => n % 200 === 199;
      const traces = Array.from({ length: count }, (_, n) =>
        traceThrough(idOf(n), ['web', 'app'], isSlow(n) ? 900 : 5 + (n % 40)),
      );
      // The topic has the broker's time, so the traces must really come at this pace.
      const startedMs = performance.now();
      for (let at = 0; at < count; at += perSecond / 10) {
        await send(traces.slice(at, at + perSecond / 10));
        const dueMs = startedMs + (at / perSecond) * 1_000;
        await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
      }
      const seconds = (performance.now() - startedMs) / 1_000;
      await waitForRecords(
        () => decided(service),
        (all) => all === count,
        60_000,
      );
      const told = await decisions(service);
      const kept = (told['slow kept'] ?? 0) + (told['rest kept'] ?? 0);
      await waitForRecords(
        async () => received().length,
        (spans) => spans === 2 * kept,
        30_000,
      );

      // Slow is a matter of the operation's own times, once some are known.
      const slow = traces.filter((_, n) => isSlow(n)).map(({ traceId }) => traceId);
      const ids = new Set(received().map(traceIdOf));
      expect(slow.filter((id) => ids.has(id)).length).toBeGreaterThan(slow.length * 0.8);
      expect(told['slow kept']).toBeLessThan(count * 0.02);
      // Half of 800 a second would be four times the limit; the first second keeps up to 1 + ln 4 times as many.
      expect(told['rest kept']).toBeGreaterThan(limit * (seconds - 1) * 0.8);
      expect(told['rest kept']).toBeLessThan(limit * (seconds + 2) * 1.2);
      const sum = received().reduce((total, span) => total + weightOf(span), 0);
      expect(Math.abs(sum / (2 * count) - 1)).toBeLessThan(0.15);
    },
    TEST_MS,
  );
});
