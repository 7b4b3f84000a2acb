import { describe, expect, it } from '@jest/globals';
import { type Mutations, simulateAssembler } from './assembler-simulation.ts';

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 300);
const FIRST_SEED = Number(process.env.SIMULATION_SEED_FROM ?? 1);

describe('the assembler of one partition, production code under a seeded scheduler', () => {
  it.each([
    ['crashes, zombies and drains', false],
    ['these and every fault of Redis and of a broker', true],
  ])(
    'puts every (trace, offset) into exactly one committed trace: %s',
    async (_name, faults) => {
      const totals = { rebuilds: 0, adoptions: 0, commits: 0, units: 0, crashes: 0 };
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const verdict = await simulateAssembler(seed, { faults });
        const { lost, double, empty, foreign, stuck } = verdict;
        expect({ seed, lost, double, empty, foreign, stuck }).toEqual({
          seed,
          lost: 0,
          double: 0,
          empty: 0,
          foreign: 0,
          stuck: 0,
        });
        for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += verdict[key];
      }
      // The runs must have gone through what they are about.
      expect(totals.rebuilds).toBeGreaterThan(SEEDS);
      expect(totals.adoptions).toBeGreaterThan(SEEDS / 4);
      expect(totals.units / SEEDS).toBeGreaterThan(100);
    },
    300_000,
  );

  it('replays a seed exactly', async () => {
    for (const seed of [1, 7])
      expect(await simulateAssembler(seed, { faults: true })).toEqual(await simulateAssembler(seed, { faults: true }));
    const [one, two] = [await simulateAssembler(1, { faults: true }), await simulateAssembler(2, { faults: true })];
    expect(one.decisions).not.toBe(two.decisions);
  }, 120_000);
});

describe('the simulation notices when a rule of the protocol is taken out', () => {
  const rules: [string, Mutations][] = [
    ['reading its own output back', { noReadBack: true }],
    ['the length check', { noLength: true }],
    ["the ledger's position in traces", { noPosition: true }],
    ["the ledger's end of traces", { noEnd: true }],
    ['remembering closed traces only after the commit', { rememberEarly: true }],
  ];
  it.each(rules)(
    '%s',
    async (_rule, mutations) => {
      let bad = 0;
      for (let seed = 1; seed <= 120 && bad === 0; seed++) {
        const { lost, double, empty, foreign, stuck } = await simulateAssembler(seed, { faults: true, mutations });
        if (lost + double + empty + foreign + stuck > 0) bad++;
      }
      expect(bad).toBeGreaterThan(0);
    },
    120_000,
  );
});
