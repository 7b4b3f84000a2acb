import { describe, expect, it } from '@jest/globals';
import { simulateArchiver } from './archiver-simulation.ts';
import { simulateGraphBuilder } from './graph-simulation.ts';
import { MACHINES } from './machines.ts';
import { simulateRouter } from './router-simulation.ts';
import type { Outcome } from './worker-world.ts';

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 300);
const FIRST_SEED = Number(process.env.SIMULATION_SEED_FROM ?? 1);
const TIMEOUT_MS = 600_000;

describe('production code of several processes and partitions under a seeded scheduler', () => {
  it.each(['router', 'graph-builder', 'archiver'])(
    'keeps its promise through every fault: %s',
    async (name) => {
      const totals: Record<string, number> = {};
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const { problems, counts } = await run(name, seed);
        expect({ seed, problems }).toEqual({ seed, problems: [] });
        for (const [key, count] of Object.entries(counts)) totals[key] = (totals[key] ?? 0) + count;
      }
      // The runs must have gone through what they are about.
      for (const key of ['crashes', 'zombies', 'drains', 'doubled']) expect(totals[key]).toBeGreaterThan(SEEDS);
    },
    TIMEOUT_MS,
  );

  it.each(Object.keys(MACHINES))('replays a seed exactly: %s', async (name) => {
    for (const seed of [1, 7]) expect(await run(name, seed)).toEqual(await run(name, seed));
    expect((await run(name, 1)).decisions).not.toBe((await run(name, 2)).decisions);
  });
});

describe('the simulation notices when a rule is taken out', () => {
  const loop = [
    ['the claim', { noClaim: true }],
    ['fencing', { noFence: true }],
    ['the ledger in the same transaction', { ledgerApart: true }],
  ] as const;
  const cases: [string, (seed: number) => Promise<Outcome>][] = [
    ...loop.flatMap(([rule, mutation]): [string, (seed: number) => Promise<Outcome>][] => [
      [`router: ${rule}`, (seed) => simulateRouter(seed, { faults: true, ...mutation })],
      [`graph-builder: ${rule}`, (seed) => simulateGraphBuilder(seed, { faults: true, ...mutation })],
    ]),
    ['graph-builder: reading again', (seed) => simulateGraphBuilder(seed, { faults: true, noReadAgain: true })],
    ['archiver: the entry in its place', (seed) => simulateArchiver(seed, { faults: true, chainNotConsulted: true })],
    ['archiver: If-None-Match', (seed) => simulateArchiver(seed, { faults: true, noIfNoneMatch: true })],
    ['archiver: finishing an entry', (seed) => simulateArchiver(seed, { faults: true, noFinish: true })],
  ];
  it.each(cases)(
    '%s',
    async (_rule, simulate) => {
      for (let seed = 1; seed <= MUTATION_SEEDS; seed++) if ((await simulate(seed)).problems.length > 0) return;
      throw new Error(`${MUTATION_SEEDS} seeds found nothing`);
    },
    TIMEOUT_MS,
  );
});

function run(name: string, seed: number): Promise<Outcome> {
  return (MACHINES[name] as (typeof MACHINES)[string])(seed);
}

const MUTATION_SEEDS = 120;
