import type { ArmedHttpRule, HttpFault, HttpRule } from '../../../lib/testkit/faults/http-proxy.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { fillDisk } from '../rig/full-disk.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

const CHAIN = /\/_chain\//;
const PARQUET = /\.parquet/;

/** What an object store and the way to it may do to the archiver. */
const FAULTS: readonly Fault[] = [
  {
    name: 'the store takes a chain entry and an object, and its answers never come (time-out after success)',
    fast: true,
    inject: async (pipeline) => {
      await hit(pipeline, [
        { method: 'PUT', path: CHAIN, fault: 'withhold-answer', times: 2 },
        { method: 'PUT', path: PARQUET, fault: 'withhold-answer', times: 2 },
      ]);
    },
  },
  {
    name: 'a third of all requests to the store fail: 500, 503 SlowDown, reset',
    inject: async (pipeline) => {
      const rules = [{ status: 500, code: 'InternalError' }, { status: 503, code: 'SlowDown' }, 'reset' as const].map(
        (fault) => archiver(pipeline).s3.arm({ fault, share: 0.12 }),
      );
      await waitUntil('each kind of failure, several times', () => rules.every(({ hits }) => hits >= 3));
      for (const rule of rules) rule.remove();
    },
  },
  ...(
    [
      ['the answers to puts are lost with their connections', 'PUT', 'lose-answer', 6],
      ['409 ConditionalRequestConflict', 'PUT', { status: 409, code: 'ConditionalRequestConflict' }, 6],
      ['lists and entries come cut in half', 'GET', 'truncate-answer', 4],
      ['every request takes 1 s more', undefined, { delayMs: 1_000 }, 15],
    ] as const
  ).map(([name, method, fault, times]) => ({
    name: `the store: ${name}`,
    inject: async (pipeline: FaultPipeline) => {
      const rule = { fault: fault as HttpFault, times, ...(method === undefined ? {} : { method }) };
      // Objects are read when a partition is opened, which a new life does.
      if (method === 'GET') await Promise.all([hit(pipeline, [rule]), archiver(pipeline).restart('SIGTERM')]);
      else await hit(pipeline, [rule]);
    },
  })),
  {
    name: 'the store is down for 40 s',
    inject: async (pipeline) => {
      const { s3 } = pipeline.stack;
      const before = await failures(pipeline);
      await s3.stop(5_000);
      await sleep(40_000);
      const during = await failures(pipeline);
      await s3.startAgain();
      if (during === before) throw new Error('the archiver asked nothing of the store while it was down');
    },
  },
  {
    name: "the store's disk is full for 15 s",
    inject: async (pipeline) => {
      const before = await failures(pipeline);
      const free = fillDisk(pipeline.stack.s3.pid);
      try {
        await waitUntil('the store takes nothing', async () => (await failures(pipeline)) > before);
        await sleep(15_000);
      } finally {
        free();
      }
    },
  },
  {
    name: 'a store without conditional put: the archiver refuses to start',
    inject: async (pipeline) => {
      const process = await pipeline.add('archiver', 'archiver-refused');
      const ignoring = process.s3.arm({ method: 'PUT', fault: 'ignore-condition' });
      const why = await process.start().then(
        () => 'it started',
        (error: Error) => error.message,
      );
      await pipeline.remove(process);
      if (!/exit code 78[\s\S]*ignores If-None-Match/.test(why)) throw new Error(why);
      if (ignoring.hits < 2) throw new Error('the probe did not come by');
    },
  },
];

export const OBJECT_STORE: FaultGroup = {
  pipeline: {
    name: 'object-store',
    seed: 5,
    env: { S3_REQUEST_TIMEOUT_MS: '2000' },
  },
  faults: FAULTS,
};

/** Requests that the archiver has counted as failed in this life. */
function failures(pipeline: FaultPipeline): Promise<number> {
  return archiver(pipeline).errors('S3_FAILED');
}

function archiver(pipeline: FaultPipeline) {
  return pipeline.process('archiver');
}

/** Arms the rules and waits until each has caught all that it is to catch. */
async function hit(pipeline: FaultPipeline, rules: readonly HttpRule[]): Promise<void> {
  const armed: ArmedHttpRule[] = rules.map((rule) => archiver(pipeline).s3.arm(rule));
  await waitUntil('each rule has caught its requests', () => armed.every(({ hits }, i) => hits === rules[i]?.times));
}
