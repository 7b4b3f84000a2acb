import type { ServiceName } from '../../../cli/services.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { PARTITIONS, positionsOf } from '../rig/positions.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

/** A topic between two services that somebody deletes and makes anew, and who reads it. */
interface Recreated {
  readonly topic: 'spans' | 'traces';
  readonly reader: ServiceName;
  /** Where the reader's positions are. */
  readonly ledger: 'assemblerLedger' | 'graphLedger';
}

/**
 * The reader must say so and must not move; when its position is forgotten as the runbook tells, it begins with the oldest
 * record. What is judged is what comes after that: before it, the inputs of half of the outputs are gone.
 */
const madeAnew = ({ topic, reader, ledger }: Recreated, how: 'stopped' | 'running'): Fault => ({
  name: `the ${topic} topic is deleted and made anew while the ${reader} is ${how}`,
  spans: 'any',
  inject: async (pipeline) => {
    const { topics } = pipeline;
    const process = pipeline.process(reader);
    const positions = () => positionsOf(pipeline, topics[ledger]);
    const hasRead = async () => (await positions()).filter((position) => position > 5).length === PARTITIONS;
    await waitUntil('it has read of each partition', hasRead);
    if (how === 'stopped') await process.stop();
    const before = (await process.errors('INPUT_TRUNCATED')) + PARTITIONS;
    await makeAnew(pipeline, topics[topic]);
    if (how === 'stopped') await process.startAgain();
    await waitUntil('it stands', async () => (await process.errors('INPUT_TRUNCATED')) >= before);
    const stood = (await positions()).join();
    await sleep(3_000);
    const stands = (await positions()).join();
    if (stands !== stood) throw new Error(`it went on from ${stood} to ${stands}`);
    await forget(pipeline, reader, topics[topic], topics[ledger]);
    if (topic === 'traces') await goesOnWriting(pipeline);
    await waitUntil('it has begun anew', hasRead);
    // Longer than what an audit allows for between the clocks of brokers.
    await sleep(12_000);
    pipeline.judgedFromMs = Date.now();
  },
});

/**
 * An assembler whose commit finds the traces topic made anew just goes on. One that has to begin again at that time cannot
 * read back what it has emitted, stands, and is made to forget it.
 */
async function goesOnWriting(pipeline: FaultPipeline): Promise<void> {
  const { assemblerLedger, spans } = pipeline.topics;
  const before = await positionsOf(pipeline, assemblerLedger);
  const assembler = pipeline.process('trace-assembler');
  const how = await waitUntil('the trace-assembler goes on or stands', async () => {
    if ((await assembler.errors('TRACES_STALE')) > 0) return 'stale';
    const after = await positionsOf(pipeline, assemblerLedger);
    return after.every((position, partition) => position > (before[partition] as number)) && 'goes on';
  });
  if (how === 'stale') await forget(pipeline, 'trace-assembler', spans, assemblerLedger);
}

/** With the settings that the services give it. */
async function makeAnew(pipeline: FaultPipeline, topic: string): Promise<void> {
  await pipeline.admin.deleteTopics({ topics: [topic] });
  await waitUntil(`${topic} is gone`, async () => !(await pipeline.admin.listTopics()).includes(topic));
  await pipeline.createTopics();
}

/** As operations/runbook.md says it: a record without a value under the worker's key. */
async function forget(pipeline: FaultPipeline, service: string, input: string, ledger: string): Promise<void> {
  const producer = createKafka({ brokers: pipeline.stack.addresses.kafka, clientId: 'fault-tests' }).producer();
  await producer.connect();
  const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    key: `${service}/${input}/${partition}/entry`,
    value: null,
  }));
  await producer.send({ topic: ledger, messages });
  await producer.disconnect();
}

const SPANS: Recreated = { topic: 'spans', reader: 'trace-assembler', ledger: 'assemblerLedger' };
const TRACES: Recreated = { topic: 'traces', reader: 'graph-builder', ledger: 'graphLedger' };

export const RECREATED_SPANS: FaultGroup = {
  pipeline: { name: 'recreated-spans', seed: 10 },
  faults: [madeAnew(SPANS, 'stopped'), madeAnew(SPANS, 'running')],
};

export const RECREATED_TRACES: FaultGroup = {
  pipeline: { name: 'recreated-traces', seed: 11 },
  faults: [madeAnew(TRACES, 'stopped'), madeAnew(TRACES, 'running')],
};
