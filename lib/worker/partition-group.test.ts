import { describe, expect, it } from '@jest/globals';
import type { AssignedPartition } from '../kafka/types.ts';
import { PartitionGroup } from './partition-group.ts';
import type { PartitionWorker } from './partition-worker.ts';

class FakeWorker {
  stopped = false;
  private finish: () => void = () => {};
  private readonly log: string[];
  private readonly name: string;

  constructor(log: string[], name: string) {
    this.log = log;
    this.name = name;
  }

  run(): Promise<void> {
    this.log.push(`run ${this.name}`);
    return new Promise((resolve) => {
      this.finish = () => {
        this.log.push(`done ${this.name}`);
        resolve();
      };
    });
  }

  stop(): void {
    this.stopped = true;
    this.log.push(`stop ${this.name}`);
  }

  drained(): void {
    this.finish();
  }
}

function setUp() {
  const log: string[] = [];
  const workers: FakeWorker[] = [];
  let assign: (assigned: readonly AssignedPartition[]) => void = () => {};
  const group = new PartitionGroup({
    join: async (onAssignment) => {
      assign = onAssignment;
      return { reportOffset: () => {}, commit: async () => {}, leave: async () => void log.push('leave') };
    },
    createWorker: ({ partition }) => {
      const worker = new FakeWorker(log, `p${partition}`);
      workers.push(worker);
      return worker as unknown as PartitionWorker;
    },
  });
  const assignPartitions = (...partitions: number[]) =>
    assign(partitions.map((partition) => ({ topic: 'spans', partition })));
  return { log, workers, group, assignPartitions };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('PartitionGroup', () => {
  it('starts a worker for each partition and drains those taken away, without touching the others', async () => {
    const { log, workers, group, assignPartitions } = setUp();
    await group.start();
    assignPartitions(0, 1);
    await settle();
    assignPartitions(1, 2);
    await settle();
    expect(log).toEqual(['run p0', 'run p1', 'stop p0', 'run p2']);
    expect(workers.map((worker) => worker.stopped)).toEqual([true, false, false]);
  });

  it('never runs two workers of a partition: one that comes back waits for its own drain', async () => {
    const { log, workers, group, assignPartitions } = setUp();
    await group.start();
    assignPartitions(0);
    await settle();
    assignPartitions();
    assignPartitions(0);
    await settle();
    expect(log).toEqual(['run p0', 'stop p0']);
    workers[0]?.drained();
    await settle();
    expect(log).toEqual(['run p0', 'stop p0', 'done p0', 'run p0']);
  });

  it('leaves the group only after every worker has drained', async () => {
    const { log, workers, group, assignPartitions } = setUp();
    await group.start();
    assignPartitions(0, 1);
    await settle();
    const stopped = group.stop();
    await settle();
    expect(log.at(-1)).toBe('stop p1');
    for (const worker of workers) worker.drained();
    await stopped;
    expect(log.slice(-3)).toEqual(['done p0', 'done p1', 'leave']);
  });

  it('does not start what was taken away again before its turn came', async () => {
    const { log, workers, group, assignPartitions } = setUp();
    await group.start();
    assignPartitions(0);
    await settle();
    assignPartitions();
    assignPartitions(0);
    assignPartitions();
    workers[0]?.drained();
    await settle();
    expect(log).toEqual(['run p0', 'stop p0', 'done p0']);
  });
});
