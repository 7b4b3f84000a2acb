/**
 * Keeps a table of who calls whom, from the deltas on spanloom.service-edges, with kafkajs and avsc and no code of
 * Spanloom.
 *
 *     npm install kafkajs avsc
 *     node examples/consume-service-edges.js --bootstrap 127.0.0.1:9092 --from-beginning
 *
 * What it shows:
 * - Deltas are Avro in Confluent's framing: a zero byte, the schema's id as four bytes big-endian, then the body.
 * - They are to be added up over all partitions and windows, and read as zero when the sum is below: a span that came
 *   late takes back what was said before it (negative counts).
 * - kafkajs reads committed records by default; other clients must be told to (isolation.level=read_committed).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import avro from 'avsc';
import kafkajs from 'kafkajs';

const { values: options } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    topic: { type: 'string', default: 'spanloom.service-edges' },
    group: { type: 'string', default: 'example-consume-service-edges' },
    'from-beginning': { type: 'boolean', default: false },
  },
});

const schemas = new URL('../schemas/', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('service-edge-delta.avsc', schemas), 'utf8'));
const schemaId = JSON.parse(readFileSync(new URL('ids.json', schemas), 'utf8')).ServiceEdgeDelta;
const deltaType = avro.Type.forSchema(schema);
const edges = new Map();

const kafka = new kafkajs.Kafka({
  clientId: 'example',
  brokers: options.bootstrap.split(','),
  logLevel: kafkajs.logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: options.group });
await consumer.connect();
await consumer.subscribe({ topic: options.topic, fromBeginning: options['from-beginning'] });
await consumer.run({
  eachMessage: async ({ message }) => {
    const delta = decode(message.value);
    if (delta.subject === 'edge') add(delta);
  },
});
const printing = setInterval(print, 2_000);
process.once('SIGINT', async () => {
  clearInterval(printing);
  await consumer.disconnect();
});

function decode(framed) {
  if (framed[0] !== 0 || framed.readUInt32BE(1) !== schemaId) throw new Error('not a ServiceEdgeDelta');
  return deltaType.decode(framed, 5).value;
}

function add({ client, server, connectionType, calls, errors }) {
  const key = `${client} → ${server}${connectionType === '' ? '' : ` (${connectionType})`}`;
  const sum = edges.get(key) ?? { calls: 0, errors: 0 };
  edges.set(key, { calls: sum.calls + calls, errors: sum.errors + errors });
}

function print() {
  const rows = [...edges].sort().map(([edge, { calls, errors }]) => ({
    edge,
    calls: Math.max(0, calls),
    errors: Math.max(0, errors),
  }));
  console.table(rows);
}
