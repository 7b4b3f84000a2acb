/**
 * What the forwarder's own work costs: trace records in, requests to a receiver on this machine out, without Kafka.
 *
 *     node bench/forwarder-core.ts [--spans 300000] [--kind otlp_http] [--compression gzip] [--sampling] [--rounds 5]
 *
 * The receiver is a process of its own, so that its CPU does not count; it reads the bodies and says that they are taken.
 */
import { fork } from 'node:child_process';
import http from 'node:http';
import { parseArgs } from 'node:util';
import type { LogRecord } from '../lib/kafka/types.ts';
import { GrpcReceiver } from '../lib/testkit/grpc-receiver.ts';
import { createGrpcSender } from '../services/forwarder/adapters/grpc-sender.ts';
import { createHttpSender } from '../services/forwarder/adapters/http-sender.ts';
import { BatchQueue } from '../services/forwarder/core/batch.ts';
import type { Destination, KafkaDestination } from '../services/forwarder/core/destination.ts';
import { Intake } from '../services/forwarder/core/intake.ts';
import { readDestinations } from '../services/forwarder/core/read-destinations.ts';
import { Sampler } from '../services/forwarder/core/sampling/sampler.ts';
import { benchMessages, SPANS_PER_MESSAGE } from './spans.ts';
import { traceRecords } from './trace-records.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '300000' },
    kind: { type: 'string', default: 'otlp_http' },
    compression: { type: 'string', default: 'gzip' },
    sampling: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    receive: { type: 'boolean', default: false },
  },
});

if (values.receive) await receive();
else await run();

async function receive(): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  if (values.kind === 'otlp_grpc') {
    const receiver = await new GrpcReceiver().start();
    receiver.reply = () => {
      receiver.received.length = 0;
      return { code: 0 };
    };
    process.send?.(receiver.port);
    return;
  }
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200).end());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
}

async function run(): Promise<void> {
  const receiver = fork(import.meta.filename, ['--receive', ...process.argv.slice(2)]);
  const port = await new Promise<number>((resolve) => receiver.once('message', (message) => resolve(Number(message))));
  const records: LogRecord[] = [];
  let spans = 0;
  for await (const batch of traceRecords(benchMessages(Number(values.spans)), SPANS_PER_MESSAGE)) {
    spans += batch.spans;
    for (const { value } of batch.records) {
      const [offset, timestampMs] = [records.length, records.length];
      records.push({ offset, timestampMs, key: null, value, headers: new Map() });
    }
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    const started = process.cpuUsage();
    const requests = await forward(records, destinationAt(port));
    const used = process.cpuUsage(started);
    const seconds = (used.user + used.system) / 1e6;
    process.stdout.write(
      `${spans} spans in ${records.length} traces, ${requests} requests; ${Math.round(spans / seconds)} spans per CPU-second\n`,
    );
  }
  receiver.disconnect();
}

async function forward(
  records: readonly LogRecord[],
  destination: Exclude<Destination, KafkaDestination>,
): Promise<number> {
  const { sampling } = destination;
  const options = { partitions: 1, tracesRememberedMax: 100_000, incidents: { concerns: () => false } };
  const intake = new Intake(sampling, sampling === undefined ? undefined : new Sampler(sampling, options));
  const sender =
    destination.kind === 'otlp_grpc'
      ? createGrpcSender(destination, { tls: {} })
      : createHttpSender(destination, { tls: {}, wallMs: () => 0 });
  const queue = new BatchQueue(destination.batch);
  let requests = 0;
  const send = async (nowMs: number) => {
    for (let batch = queue.take(nowMs); batch !== undefined; batch = queue.take(nowMs)) {
      const verdict = await sender.send(batch, new AbortController().signal, '');
      if (verdict.kind !== 'delivered') throw new Error(verdict.why);
      requests++;
    }
  };
  for (const record of records) {
    const taken = intake.take(record);
    if (taken.kind === 'forward') queue.add(taken.trace, 0);
    await send(0);
  }
  await send(Number.POSITIVE_INFINITY);
  await sender.close();
  return requests;
}

function destinationAt(port: number): Exclude<Destination, KafkaDestination> {
  const sampling = {
    rules: [
      { name: 'errors', when: { error: true } },
      { name: 'slow', when: { slowerThan: 'p99' } },
      { name: 'region', when: { attributes: { 'cloud.region': 'nowhere' } } },
    ],
    rest: { ratio: 0.1 },
  };
  const { destinations, mistakes } = readDestinations(
    {
      destinations: [
        {
          ...{ name: 'bench', kind: values.kind, url: `http://127.0.0.1:${port}`, compression: values.compression },
          ...(values.sampling ? { sampling } : {}),
        },
      ],
    },
    'spanloom',
  );
  const [destination] = destinations;
  if (destination === undefined || destination.kind === 'kafka') throw new Error(JSON.stringify(mistakes));
  return destination;
}
