import { simulateArchiver } from './archiver-simulation.ts';
import { simulateAssembler } from './assembler-simulation.ts';
import { simulateGraphBuilder } from './graph-simulation.ts';
import { simulateRouter } from './router-simulation.ts';
import type { Outcome } from './worker-world.ts';

/** What can be simulated, by name: one run under every fault of its seed. */
export const MACHINES: Readonly<Record<string, (seed: number) => Promise<Outcome>>> = {
  router: (seed) => simulateRouter(seed, { faults: true }),
  assembler: (seed) => simulateAssembler(seed, { faults: true }),
  'graph-builder': (seed) => simulateGraphBuilder(seed, { faults: true }),
  archiver: (seed) => simulateArchiver(seed, { faults: true }),
};
