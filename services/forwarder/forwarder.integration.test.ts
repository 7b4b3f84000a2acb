import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { type AssembledTrace, deadLetterCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { GrpcReceiver } from '../../lib/testkit/grpc-receiver.ts';
import { type Received, Receiver } from '../../lib/testkit/http-receiver.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { decodeReference, type ReferenceSpan } from '../../lib/testkit/otlp-reference.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { Command, runCommand } from '../../test/support/command.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import type { ZipkinJsonSpan } from './core/zipkin-json.ts';
import { forwarder } from './main.ts';

const PARTITIONS = 2;
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-forwarder-'));
const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-assembler' });
let producer: Producer;
let files = 0;
const started: ServiceUnderTest[] = [];
const commands: Command[] = [];
const receivers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  producer = kafka.producer();
  await producer.connect();
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  for (const command of commands.splice(0)) {
    command.signal('SIGKILL');
    await command.exited;
  }
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await producer.disconnect();
});

async function receiver(port = 0): Promise<Receiver> {
  const made = await new Receiver().start(port);
  receivers.push(made);
  return made;
}

function destinationsFile(destinations: readonly object[]): string {
  const file = path.join(folder, `${files++}.yaml`);
  writeFileSync(file, JSON.stringify({ destinations }));
  return file;
}

function pipeline(name: string) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  const env = (destinations: readonly object[]) => ({
    SPANLOOM_PREFIX: prefix,
    PARTITIONS: String(PARTITIONS),
    FORWARD_DESTINATIONS_PATH: destinationsFile(destinations),
  });
  return {
    topics,
    env,
    async start(destinations: readonly object[]) {
      const service = await startService(forwarder, env(destinations));
      started.push(service);
      return service;
    },
    async stop(service: ServiceUnderTest) {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    /** Traces of two spans each, by number, spread over the partitions. */
    async assemble(from: number, to: number, fields: (id: number) => Partial<AssembledTrace> = () => ({})) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const messages = numbers(from, to)
          .filter((id) => id % PARTITIONS === partition)
          .map((id) => ({ ...traceRecord(assembledTrace(traceBytes(id), fields(id))), partition }));
        if (messages.length > 0) await producer.send({ topic: topics.traces, messages });
      }
    },
    deadLetters: async () =>
      (await readTopic(topics.deadLetters, 1)).map(({ key, value }) => ({
        ...deadLetterCodec.decode(value as Buffer),
        key: key?.toString(),
      })),
  };
}

function traceBytes(trace: number): Buffer {
  return otlp(
    [
      { service: 'web', spans: [{ id: 1, kind: 'server', name: 'GET /', duration: 30 }] },
      { service: 'app', spans: [{ id: 2, parent: 1, kind: 'server', start: 5, duration: 20 }] },
    ],
    { trace },
  );
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const waitFor = (isTrue: () => Promise<boolean> | boolean) => waitForRecords(async () => isTrue(), Boolean, 60_000);

/** Spans of an OTLP request, as another implementation reads them. */
function spansIn({ bytes, headers }: Received): ReferenceSpan[] {
  return spansOf(headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
}

function spansOf(body: Buffer): ReferenceSpan[] {
  return (decodeReference(body).resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans),
  );
}

/** Numbers of the traces in an OTLP request, one for each span. */
function tracesIn(received: Received): number[] {
  return spansIn(received).map(traceOf);
}

function tracesOf(body: Buffer): number[] {
  return spansOf(body).map(traceOf);
}

const traceOf = ({ traceId = new Uint8Array() }: ReferenceSpan) =>
  Number.parseInt(Buffer.from(traceId).toString('hex'), 16);

const allTraces = (from: Receiver) => from.received.flatMap(tracesIn).sort((a, b) => a - b);
const distinct = (from: Receiver) => [...new Set(allTraces(from))];
const twice = (ids: readonly number[]) => ids.flatMap((id) => [id, id]);

const QUICK = { startAt: 'start', batch: { waitMs: 50 }, retry: { firstMs: 50, maxMs: 500 } };
const otlpTo = (url: string, fields: object = {}) => ({ ...QUICK, name: 'apm', kind: 'otlp_http', url, ...fields });

describe('forwarder', () => {
  it('takes whole traces to OTLP over HTTP and gRPC, Zipkin, ClickHouse and a topic at once, while one that hangs holds up nobody', async () => {
    const [apm, zipkin, house, hung] = [await receiver(), await receiver(), await receiver(), await receiver()];
    const grpc = await new GrpcReceiver().start();
    receivers.push(grpc);
    hung.answer = () => 'never';
    const { topics, start, assemble } = pipeline('forwarder');
    const copies = `${topics.traces}-copy`;
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: copies, numPartitions: 1 }] });
    await admin.disconnect();
    const service = await start([
      { ...otlpTo(hung.url), name: 'hung', timeoutMs: 60_000 },
      otlpTo(apm.url, { headers: { 'api-key': 'k' } }),
      { ...QUICK, name: 'grpc', kind: 'otlp_grpc', url: grpc.url, headers: { 'api-key': 'k' } },
      { ...QUICK, name: 'house', kind: 'clickhouse', url: house.url, compression: 'none' },
      { ...QUICK, name: 'zipkin', kind: 'zipkin', url: zipkin.url, compression: 'none' },
      // Only the pipeline's own topics are refused, and this one is not of this pipeline.
      { ...QUICK, name: 'topic', kind: 'kafka', topic: copies, brokers: testStack().kafka },
    ]);
    await assemble(1, 41);

    await waitFor(() => allTraces(apm).length === 80);
    expect(allTraces(apm)).toEqual(twice(numbers(1, 41)));
    expect(apm.received[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'api-key': 'k', 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
    });
    const overGrpc = () => grpc.received.flatMap(({ message }) => tracesOf(message)).sort((a, b) => a - b);
    await waitFor(() => overGrpc().length === 80);
    expect(overGrpc()).toEqual(twice(numbers(1, 41)));
    expect(grpc.received[0]?.metadata).toMatchObject({ 'api-key': 'k' });
    const rows = () =>
      house.received.flatMap(({ body }) =>
        body
          .trimEnd()
          .split('\n')
          .map((row) => JSON.parse(row)),
      );
    await waitFor(() => rows().length === 80);
    expect(new Set(rows().map(({ TraceId, SpanId }) => `${TraceId}/${SpanId}`)).size).toBe(80);
    const tokens = house.received.map(({ path }) =>
      new URL(path, house.url).searchParams.get('insert_deduplication_token'),
    );
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens[0]).toMatch(/^test-.*\.traces\/[01]\/0-\d+@\d{13}$/);
    const zipkinSpans = () => zipkin.received.flatMap(({ body }) => JSON.parse(body) as ZipkinJsonSpan[]);
    await waitFor(() => zipkinSpans().length === 80);
    expect(new Set(zipkinSpans().map(({ traceId }) => traceId)).size).toBe(40);
    expect(zipkinSpans()[0]).toMatchObject({ kind: 'SERVER', localEndpoint: { serviceName: 'web' }, duration: 30_000 });
    const records = await waitForRecords(
      () => readTopic(copies, 1),
      ({ length }) => length === 40,
    );
    for (const { key, value } of records) {
      expect(value).toEqual(traceBytes(Number.parseInt(key?.toString() ?? '', 16)));
    }
    await waitFor(async () => (await lagOf(service, 'hung')) === 40);
    expect(await lagOf(service, 'apm')).toBe(0);
  });

  it('loses nothing while a receiver is down, and goes on where it was after a restart', async () => {
    const first = await receiver();
    const { port } = first;
    const { start, stop, assemble, deadLetters } = pipeline('forwarder-down');
    const service = await start([otlpTo(first.url)]);
    await assemble(1, 11);
    await waitFor(() => allTraces(first).length === 20);
    receivers.splice(receivers.indexOf(first), 1);
    await first.stop();
    await assemble(11, 31);
    await waitFor(async () => (await circuitOf(service)) === 'open');
    const second = await receiver(port);
    second.answers = [{ status: 503 }, { status: 429, headers: { 'retry-after': '1' } }, { status: 401 }];
    await waitFor(() => distinct(second).length === 20);
    expect(distinct(second)).toEqual(numbers(11, 31));
    await waitFor(async () => (await circuitOf(service)) === 'closed' && (await lagOf(service, 'apm')) === 0);
    await stop(service);

    const before = second.received.length;
    await assemble(31, 41);
    await start([otlpTo(second.url)]);
    await waitFor(() => second.received.slice(before).flatMap(tracesIn).length >= 20);
    expect(second.received.slice(before).flatMap(tracesIn).sort()).toEqual(twice(numbers(31, 41)));
    expect(await deadLetters()).toEqual([]);
  });

  it('buries what is refused, alone, and what a dead destination did not take in time', async () => {
    const picky = await receiver();
    picky.answer = (request) => (tracesIn(request).includes(7) ? { status: 400, body: 'no sevens' } : { status: 200 });
    const { topics, start, assemble, deadLetters } = pipeline('forwarder-bury');
    await start([
      { ...otlpTo(picky.url), batch: { waitMs: 300 } },
      { ...otlpTo('http://127.0.0.1:1'), name: 'dead', deadLetterAfterMs: 1_000 },
    ]);
    await assemble(1, 13);
    const letters = await waitForRecords(deadLetters, ({ length }) => length === 13, 60_000);
    const refused = letters.filter(({ reason }) => reason === 'forward_refused');
    expect(refused).toMatchObject([{ code: 'FORWARD_REFUSED', service: 'forwarder', topic: topics.traces }]);
    expect(refused[0]?.detail).toMatch(/^destination apm did not take trace 0{31}7: it answered 400: no sevens$/);
    const old = letters.filter(({ reason }) => reason === 'forward_too_old');
    expect(new Set(old.map(({ key }) => key)).size).toBe(12);
    expect(old[0]?.key).toMatch(/^test-.*traces\/[01]\/\d+\/dead$/);
    const taken = picky.received.map(tracesIn).filter((ids) => !ids.includes(7));
    expect(taken.flat().sort((a, b) => a - b)).toEqual(twice(numbers(1, 13).filter((id) => id !== 7)));
  });

  it('loses nothing when it is killed', async () => {
    const apm = await receiver();
    const { env, start, stop, assemble } = pipeline('forwarder-kill');
    await stop(await start([otlpTo(apm.url)]));
    const variables = env([otlpTo(apm.url, { batch: { spansMax: 20, waitMs: 10 } })]);
    const run = () => {
      const command = new Command(['service', 'forwarder'], variables);
      commands.push(command);
      return command;
    };
    for (let round = 0; round < 2; round++) {
      const command = run();
      const before = distinct(apm).length;
      await assemble(1 + round * 200, 201 + round * 200);
      await waitFor(() => distinct(apm).length > before + 40);
      command.signal('SIGKILL');
      await command.exited;
    }
    run();
    await waitFor(() => distinct(apm).length === 400);
    expect(distinct(apm)).toEqual(numbers(1, 401));
  });

  it('sends ClickHouse a batch again by its own name, however often it is killed before the answer', async () => {
    const house = await receiver();
    const { env, start, stop, assemble } = pipeline('forwarder-house');
    const destination = {
      ...QUICK,
      name: 'house',
      kind: 'clickhouse',
      url: house.url,
      batch: { waitMs: 30 },
    };
    await stop(await start([destination]));
    const variables = env([destination]);
    for (let round = 0; round < 3; round++) {
      const before = house.received.length;
      // Every answer after the third is lost: what came is there, and nobody knows.
      house.answer = () => (house.received.length > before + 3 ? 'never' : { status: 200 });
      const command = new Command(['service', 'forwarder'], variables);
      commands.push(command);
      // They come bit by bit, so that the batch that is under way is smaller than what waits when the next process begins.
      for (let id = 1 + round * 100; id < 101 + round * 100; id += 10) {
        await assemble(id, id + 10);
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (id % 100 === 1) await waitFor(() => house.received.length > before);
      }
      await waitFor(() => house.received.length >= before + 3 + PARTITIONS);
      command.signal('SIGKILL');
      await command.exited;
    }
    house.answer = () => ({ status: 200 });
    await start([destination]);
    const batches = new Map<string, Set<string>>();
    const read = () => {
      batches.clear();
      for (const { path: address, bytes } of house.received) {
        const token = new URL(address, house.url).searchParams.get('insert_deduplication_token') ?? '';
        for (const line of gunzipSync(bytes).toString().trimEnd().split('\n')) {
          const { TraceId, SpanId } = JSON.parse(line);
          const key = `${TraceId}/${SpanId}`;
          batches.set(key, (batches.get(key) ?? new Set()).add(token));
        }
      }
      return batches.size;
    };
    await waitFor(() => read() === 600);
    expect([...batches.values()].filter(({ size }) => size > 1)).toEqual([]);
    const requests = house.received.map(({ path: address }) => address);
    expect(new Set(requests).size).toBeLessThan(requests.length);
  });

  it('samples whole traces: errors and a share of the rest, late spans as their trace, after a restart too', async () => {
    const apm = await receiver();
    const { start, stop, assemble } = pipeline('forwarder-sampling');
    const sampling = { rules: [{ name: 'errors', when: { error: true } }], rest: { ratio: 0 } };
    const service = await start([otlpTo(apm.url, { sampling })]);
    await assemble(1, 21, (id) => ({ errorCount: id % 4 === 0 ? 1 : 0 }));
    await waitFor(() => allTraces(apm).length === 10);
    expect(distinct(apm)).toEqual([4, 8, 12, 16, 20]);
    await stop(service);

    // What comes late of each: the kept ones without an error, the others with one.
    await start([otlpTo(apm.url, { sampling })]);
    await assemble(1, 21, (id) => ({ revision: 2, errorCount: id % 4 === 0 ? 0 : 1 }));
    await assemble(21, 25, () => ({ errorCount: 1 }));
    await waitFor(() => [21, 22, 23, 24].every((id) => distinct(apm).includes(id)));
    expect(allTraces(apm)).toEqual([4, 8, 12, 16, 20].flatMap((id) => [id, id, id, id]).concat(twice(numbers(21, 25))));
    const marks = apm.received.flatMap(spansIn).map(({ traceState }) => traceState);
    expect(new Set(marks)).toEqual(new Set(['ot=th:0']));
  });

  it('begins with what comes from now on unless told otherwise', async () => {
    const apm = await receiver();
    const { start, stop, assemble } = pipeline('forwarder-new');
    await stop(await start([{ ...otlpTo(apm.url), name: 'makes-topics' }]));
    await assemble(1, 5);
    const { startAt: _, ...fromTheEnd } = otlpTo(apm.url);
    const service = await start([fromTheEnd]);
    // Its lag is known once it has a position.
    await waitFor(async () => (await lagOf(service, 'apm')) === 0);
    await assemble(5, 9);
    await waitFor(() => allTraces(apm).length >= 8);
    expect(allTraces(apm)).toEqual(twice(numbers(5, 9)));
  });

  it('says what is wrong with its file: where, and why, and no secret', async () => {
    const file = path.join(folder, 'wrong.yaml');
    writeFileSync(
      file,
      [
        'destinations:',
        '  - name: apm',
        '    kind: otlp_http',
        '    url: https://user:secret@example.com',
        '    timeoutMs: soon',
      ].join('\n'),
    );
    const { code, stderr } = await runCommand(['service', 'forwarder'], {
      FORWARD_DESTINATIONS_PATH: file,
      LOG_FORMAT: 'json',
    });
    expect(code).toBe(78);
    const said = stderr.join('\n');
    expect(said).toContain(`${file}:4: destinations[0].url must be an http or https address`);
    expect(said).toContain(`${file}:5: destinations[0].timeoutMs must be a whole number from 100 to 300000.`);
    expect(said).not.toContain('secret@');
  });
});

/** Over all partitions; undefined until each is known. */
async function lagOf(service: ServiceUnderTest, destination: string): Promise<number | undefined> {
  const text = await service.metrics.registry.getSingleMetricAsString('spanloom_forwarder_destination_lag_records');
  const lags = [...text.matchAll(new RegExp(`destination="${destination}",partition="\\d+"} (\\d+)`, 'g'))];
  return lags.length < PARTITIONS ? undefined : lags.reduce((sum, [, lag]) => sum + Number(lag), 0);
}

async function circuitOf(service: ServiceUnderTest): Promise<string | undefined> {
  const text = await service.metrics.registry.getSingleMetricAsString('spanloom_forwarder_circuit');
  return /state="(\w+)"} 1/.exec(text)?.[1];
}
