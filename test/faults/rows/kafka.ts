import type { ServiceName } from '../../../cli/services.ts';
import type { KafkaFault, KafkaRule } from '../../../lib/testkit/faults/kafka-proxy.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { fillDisk } from '../rig/full-disk.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

/** What a broker and the way to it may do. One broker: a move of leadership shows as its restart. */
const FAULTS: readonly Fault[] = [
  {
    name: 'the broker is killed and starts again on the same data',
    fast: true,
    inject: async ({ stack }) => {
      await stack.kafka.stop(0);
      await stack.kafka.startAgain();
    },
  },
  {
    name: 'the broker is stopped in order and starts again',
    inject: async ({ stack }) => {
      await stack.kafka.stop(30_000);
      await stack.kafka.startAgain();
    },
  },
  {
    name: "the broker's disk is full: it ends itself, and starts again when there is space",
    inject: async ({ stack }) => {
      fillDisk(stack.kafka.pid);
      await waitUntil('the broker gives up', () => !isAlive(stack.kafka.pid));
      await stack.kafka.startAgain();
    },
  },
  {
    name: 'the answer to a commit is lost, in each service: nobody knows whether it took place',
    fast: true,
    inject: (pipeline) => each(pipeline, WRITERS, { api: 'EndTxn', fault: 'lose-answer', times: 2 }),
  },
  ...(
    [
      ['the connection is cut inside the commit (EndTxn), in each service', 'EndTxn', 'cut-inside'],
      ['the connection is cut before the commit (EndTxn), in each service', 'EndTxn', 'cut-before'],
      ['the answer to a write (Produce) is lost, in each service', 'Produce', 'lose-answer'],
      ['the connection is cut inside a write (Produce), in each service', 'Produce', 'cut-inside'],
      ['the answer to AddPartitionsToTxn is lost, in each service', 'AddPartitionsToTxn', 'lose-answer'],
      ['a commit (EndTxn) never gets anywhere and the connection stays up', 'EndTxn', 'swallow'],
    ] as const
  ).map(([name, api, fault]) => cutInside(name, api, fault)),
  {
    name: 'the answer to InitProducerId is lost when workers begin',
    inject: async (pipeline) => {
      const rules = WRITERS.map((service) =>
        pipeline.process(service).kafka.arm({ api: 'InitProducerId', fault: 'lose-answer', times: 2 }),
      );
      await Promise.all(WRITERS.map((service) => pipeline.process(service).restart('SIGKILL')));
      await waitUntil('answers were lost', () => rules.every(({ hits }) => hits === 2));
    },
  },
  {
    name: 'every request to Kafka takes 200 ms more, at 1 MB/s, for 20 s',
    inject: async ({ processes }) => {
      for (const { kafka } of processes) Object.assign(kafka.tcp, { latencyMs: 100, bytesPerSecond: 1_000_000 });
      await sleep(20_000);
      for (const { kafka } of processes)
        Object.assign(kafka.tcp, { latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY });
    },
  },
  {
    name: 'Kafka hangs for 20 s with its connections up (half-open): longer than a session and a transaction',
    inject: async ({ processes }) => {
      for (const { kafka } of processes) kafka.tcp.stall();
      await sleep(20_000);
      for (const { kafka } of processes) kafka.tcp.resume();
    },
  },
  {
    name: 'all connections to Kafka are cut every second for 15 s, also in the middle of a record',
    inject: async ({ processes }) => {
      for (let i = 0; i < 15; i++) {
        for (const { kafka } of processes) i % 2 === 0 ? kafka.tcp.cutAll() : kafka.tcp.cutAfterBytes(5_000);
        await sleep(1_000);
      }
      const cut = processes.reduce((sum, { kafka }) => sum + kafka.tcp.cutTotal, 0);
      if (cut < 30) throw new Error(`only ${cut} connections were cut`);
    },
  },
  {
    name: 'Kafka refuses every connection for 15 s',
    inject: async ({ processes }) => {
      for (const { kafka } of processes) kafka.tcp.refuse();
      await sleep(15_000);
      for (const { kafka } of processes) kafka.tcp.accept();
    },
  },
];

export const KAFKA: FaultGroup = { pipeline: { name: 'kafka', seed: 4 }, faults: FAULTS };

/** Those that write transactions; the archiver writes none. */
const WRITERS: readonly ServiceName[] = ['span-router', 'trace-assembler', 'graph-builder'];

function cutInside(name: string, api: KafkaRule['api'], fault: KafkaFault): Fault {
  return { name, inject: (pipeline) => each(pipeline, WRITERS, { api, fault, times: 2 }) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Hits each service as often as the rule says. */
async function each(pipeline: FaultPipeline, services: readonly ServiceName[], rule: KafkaRule): Promise<void> {
  const armed = services.map((service) => pipeline.process(service).kafka.arm(rule));
  await waitUntil(`${rule.api} was hit in each service`, () => armed.every(({ hits }) => hits === rule.times));
}
