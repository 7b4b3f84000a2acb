import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import type { AuditResult } from '../../support/audited-pipeline.ts';
import type { Fault } from '../fault.ts';
import { FaultPipeline } from '../rig/fault-pipeline.ts';
import type { FaultStack } from '../rig/fault-stack.ts';
import { sleep } from '../rig/wait-until.ts';
import { CLOCKS } from '../rows/clocks.ts';
import { HOSTILE, HUGE } from '../rows/hostile.ts';
import { KAFKA } from '../rows/kafka.ts';
import { OBJECT_STORE } from '../rows/object-store.ts';
import { ALONE, CRASHES, TAKEOVERS } from '../rows/processes.ts';
import { REDIS } from '../rows/redis.ts';
import { MemoryLog, type MemoryOfService } from './memory-log.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Decides which faults come, in which order, and how long the pauses between them are. */
  readonly seed: number;
  readonly spansPerSecond: number;
  readonly onProgress: (line: string) => void;
}

export interface SoakResult {
  readonly spans: number;
  /** Faults by name: how often each came, and what went wrong with it. */
  readonly faults: readonly { readonly name: string; readonly problem: string | undefined }[];
  readonly restarts: number;
  /** Of the whole run, and of its last quarter, in which nothing is broken any more. */
  readonly memory: readonly MemoryOfService[];
  readonly quietMemory: readonly MemoryOfService[];
  readonly audit: AuditResult;
}

/**
 * Those that leave the log whole, so that one audit can judge everything at the end, and can do with two assemblers. The
 * trace of a million spans would be most of what a soak sends.
 */
const FAULTS: readonly Fault[] = [CRASHES, TAKEOVERS, REDIS, KAFKA, OBJECT_STORE, CLOCKS, HOSTILE]
  .flatMap(({ faults }) => faults)
  .filter((fault) => !ALONE.includes(fault) && fault !== HUGE);

/** One pipeline under steady traffic; random faults for three quarters of the time, then none; the audit at the end. */
export async function runSoak(stack: FaultStack, options: SoakOptions): Promise<SoakResult> {
  const { minutes, seed, spansPerSecond, onProgress } = options;
  const random = new SeededRandom(seed);
  const scale = { 'trace-assembler': 2 } as const;
  const env = OBJECT_STORE.pipeline.env ?? {};
  const pipeline = await FaultPipeline.start(stack, { name: 'soak', scale, seed, env });
  const memory = new MemoryLog(pipeline);
  const stream = pipeline.source.stream(spansPerSecond);
  try {
    const startedMs = performance.now();
    const minute = () => `${((performance.now() - startedMs) / 60_000).toFixed(1)} min`;
    const faults: { name: string; problem: string | undefined }[] = [];
    while (performance.now() - startedMs < minutes * 60_000 * DISTURBED_SHARE) {
      await sleep(random.between(1_000, 8_000));
      const { name, inject } = random.pick(FAULTS);
      onProgress(`${minute()}  ${name}`);
      const problem = await inject(pipeline).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (problem !== undefined) onProgress(`${minute()}  ! ${problem}`);
      faults.push({ name, problem });
    }
    const quietFromMs = performance.now() - startedMs;
    onProgress(`${minute()}  no more faults`);
    await sleep(Math.max(0, minutes * 60_000 - quietFromMs));
    await stream.stop();
    const spans = await pipeline.retainedSpans();
    onProgress(`${minute()}  ${spans} spans sent; waiting until all are through, and auditing`);
    const audit = await pipeline.settled(spans, SETTLE_MS_MAX);
    memory.stop();
    return {
      spans,
      faults,
      restarts: pipeline.processes.reduce((sum, { deaths }) => sum + deaths.length, 0),
      memory: memory.summary(),
      quietMemory: memory.summary(quietFromMs),
      audit,
    };
  } finally {
    memory.stop();
    await stream.stop().catch(() => {});
    await pipeline.stop();
  }
}

const DISTURBED_SHARE = 0.75;
const SETTLE_MS_MAX = 600_000;
