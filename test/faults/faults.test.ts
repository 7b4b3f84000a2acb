import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeError } from '../../lib/errors/spanloom-error.ts';
import { FAST, GROUPS } from './groups.ts';
import { FaultPipeline } from './rig/fault-pipeline.ts';
import { type FaultStack, startFaultStack } from './rig/fault-stack.ts';

/**
 * Real processes, real servers, and one fault after another in the middle of traffic. What counts is the audit behind
 * each: every span sent so far once in bundles, traces, archive and edges, and nothing that is not ours.
 */
const SPANS_PER_SECOND = 500;
const SPANS_AFTER = 1_000;
/** For what hangs: a fault with recovery takes 10 to 60 s where nothing else runs. */
const FAULT_MS_MAX = 600_000;

const isWhole = process.env['SPANLOOM_FAULTS'] === 'all';
/** The servers are killed and started again, which needs them to be processes of this machine. */
const native = process.env['SPANLOOM_TEST_STACK'] === 'native' ? describe : describe.skip;

native('nothing lost, nothing double', () => {
  let stack: FaultStack;

  beforeAll(async () => {
    stack = await startFaultStack();
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  for (const { pipeline: options, faults } of isWhole ? GROUPS : [FAST]) {
    describe(options.name, () => {
      let pipeline: FaultPipeline;

      beforeAll(async () => {
        pipeline = await FaultPipeline.start(stack, options);
      }, 240_000);
      afterAll(() => pipeline?.stop(), 60_000);

      it.each(faults)(
        '$name',
        async ({ name, inject, spans }) => {
          const beginMs = performance.now();
          const tell = (how: string) => {
            const seconds = ((performance.now() - beginMs) / 1000).toFixed(0);
            process.stderr.write(`${seconds.padStart(4)} s  ${how}  ${name}\n`);
          };
          const stream = pipeline.source.stream(SPANS_PER_SECOND);
          try {
            await inject(pipeline);
          } catch (error) {
            tell(`failed (${describeError(error)})`);
            throw new Error(pipeline.warnings(), { cause: error });
          } finally {
            await stream.stop();
          }
          tell('done  ');
          await pipeline.source.send(SPANS_AFTER);
          const retained = await pipeline.retainedSpans();
          const { code, clean, stages } = await pipeline.settled(spans === 'any' ? 1 : retained);
          tell(clean ? 'clean ' : 'NOT CLEAN');
          if (!clean) throw new Error(`not clean: ${JSON.stringify(stages)}`);
          expect(code).toBe(0);
          if (spans === undefined) expect(stages.find(({ stage }) => stage === 'bundles')?.matched).toBe(retained);
        },
        FAULT_MS_MAX,
      );
    });
  }
});
