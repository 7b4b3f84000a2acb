import path from 'node:path';
import type { ServiceName } from '../../../cli/services.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { sleep } from '../rig/wait-until.ts';

const SKEWED: readonly ServiceName[] = ['span-router', 'trace-assembler', 'graph-builder', 'archiver'];
const HOUR_MS = 3_600_000;

const skewed = (hours: number): Fault => ({
  name: `the clocks of all services are ${Math.abs(hours)} h ${hours > 0 ? 'ahead' : 'behind'}, then right again`,
  inject: async (pipeline) => {
    await inAllProcesses(pipeline, hours * HOUR_MS);
    await sleep(8_000);
    for (const service of SKEWED) {
      const last =
        pipeline
          .process(service)
          .log()
          .filter((line) => line.startsWith('{'))
          .at(-1) ?? '{}';
      const off = (Date.parse((JSON.parse(last) as { time: string }).time) - Date.now()) / HOUR_MS;
      if (Math.abs(off - hours) > 0.1) throw new Error(`the clock of ${service} is off by ${off} h, not ${hours}`);
    }
    await inAllProcesses(pipeline, 0);
  },
});

/** What is stamped wrong in the spans themselves is among the hostile records. */
export const CLOCKS: FaultGroup = {
  pipeline: { name: 'clocks', seed: 6 },
  faults: [skewed(1), skewed(-1)],
};

async function inAllProcesses(pipeline: FaultPipeline, skewMs: number): Promise<void> {
  const preload = path.join(import.meta.dirname, '../rig/skewed-clock.js');
  await Promise.all(
    SKEWED.map(async (service) => {
      const process = pipeline.process(service);
      process.setEnv(
        skewMs === 0
          ? { NODE_OPTIONS: undefined, CLOCK_SKEW_MS: undefined }
          : { NODE_OPTIONS: `--import ${preload}`, CLOCK_SKEW_MS: String(skewMs) },
      );
      await process.restart('SIGTERM');
    }),
  );
}
