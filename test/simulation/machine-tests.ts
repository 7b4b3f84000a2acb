import { describe, expect, it } from '@jest/globals';
import { MACHINES } from './machines.ts';
import type { Outcome } from './worker-world.ts';

/** A machine with a rule taken out. */
export type BrokenMachine = (seed: number) => Promise<Outcome>;

/**
 * The tests of one machine: its promise through every fault, exact replay, and that each rule taken out is noticed.
 * One file calls this for each machine, so that they run side by side.
 *
 * @param seen counts of the outcome of which there must be some, because the runs are about them.
 */
export function testMachine(
  name: string,
  broken: Readonly<Record<string, BrokenMachine>>,
  seen: readonly string[] = [],
): void {
  const run = MACHINES[name];
  if (run === undefined) throw new Error(`there is no machine '${name}'`);

  describe(`${name}: production code of several processes and partitions under a seeded scheduler`, () => {
    it(
      'keeps its promise through every fault',
      async () => {
        const totals: Record<string, number> = {};
        for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
          const { problems, counts } = await run(seed);
          expect({ seed, problems }).toEqual({ seed, problems: [] });
          for (const [key, count] of Object.entries(counts)) totals[key] = (totals[key] ?? 0) + count;
        }
        for (const key of seen) expect({ [key]: totals[key] }).not.toEqual({ [key]: 0 });
        for (const key of ['crashes', 'zombies', 'drains', 'doubled']) expect(totals[key]).toBeGreaterThan(SEEDS);
      },
      TIMEOUT_MS,
    );

    it(
      'replays a seed exactly',
      async () => {
        for (const seed of [1, 7]) expect(await run(seed)).toEqual(await run(seed));
        expect((await run(1)).decisions).not.toBe((await run(2)).decisions);
      },
      TIMEOUT_MS,
    );

    it.each(Object.entries(broken))(
      'notices when it goes without %s',
      async (_rule, simulate) => {
        for (let seed = 1; seed <= MUTATION_SEEDS_MAX; seed++) if ((await simulate(seed)).problems.length > 0) return;
        throw new Error(`${MUTATION_SEEDS_MAX} seeds found nothing`);
      },
      TIMEOUT_MS,
    );
  });
}

export const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 300);
const FIRST_SEED = Number(process.env.SIMULATION_SEED_FROM ?? 1);
const MUTATION_SEEDS_MAX = 400;
/** For what hangs: 300 seeds of the archiver take eight minutes of a busy core. */
const TIMEOUT_MS = 2_400_000;
