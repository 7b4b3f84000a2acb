import { describe, expect, it } from '@jest/globals';
import type { AssemblerMutations } from './assembler-mutations.ts';
import { simulateAssembler } from './assembler-simulation.ts';
import { SEEDS, testMachine } from './machine-tests.ts';

const without = (mutations: AssemblerMutations) => (seed: number) =>
  simulateAssembler(seed, { faults: true, mutations });

const BROKEN = {
  'the claim, so that the ledger may be stale': (seed: number) =>
    simulateAssembler(seed, { faults: true, noClaim: true }),
  fencing: (seed: number) => simulateAssembler(seed, { faults: true, noFence: true }),
  'the ledger in the same transaction': (seed: number) => simulateAssembler(seed, { faults: true, ledgerApart: true }),
  'looking whether the log is still the one that was read': (seed: number) =>
    simulateAssembler(seed, { faults: true, noLogCheck: true }),
  'looking again after it stood still': (seed: number) =>
    simulateAssembler(seed, { faults: true, topicIds: false, noLookAgain: true }),
  'reading a topic by its id': (seed: number) =>
    simulateAssembler(seed, { faults: true, topicIds: true, anyTopicId: true }),
  'M1 reading its own output back': without({ noReadBack: true }),
  'M2 counting unsent traces into L': without({ noOutbox: true }),
  'M3 the length check': without({ noLength: true }),
  "M4 the ledger's position in traces": without({ noPosition: true }),
  "M5 the hand-off's nonce": (seed: number) =>
    simulateAssembler(seed, { faults: true, rolling: true, mutations: { noNonce: true } }),
  "M6 the ledger's end of traces": without({ noEnd: true }),
  'M7 remembering closed traces only after the commit': without({ rememberEarly: true }),
};

testMachine('assembler', BROKEN, ['overtaken', 'recreated', 'halts', 'adoptions', 'rebuilds', 'excused']);

it('holds through a rolling restart that never ends, over a Redis that goes back', async () => {
  const seeds = Math.ceil(SEEDS / 3);
  for (let seed = 1; seed <= seeds; seed++) {
    const { problems } = await simulateAssembler(seed, { faults: true, rolling: true });
    expect({ seed, problems }).toEqual({ seed, problems: [] });
  }
}, 600_000);

describe('the assembler, while Redis, brokers and logs have no faults', () => {
  it('counts copies of a span once through crashes, zombies, rebalances and hand-offs', async () => {
    let adoptions = 0;
    const seeds = Math.ceil(SEEDS / 3);
    for (let seed = 1; seed <= seeds; seed++) {
      const { problems, counts } = await simulateAssembler(seed, { faults: false });
      expect({ seed, problems }).toEqual({ seed, problems: [] });
      adoptions += counts['adoptions'] ?? 0;
    }
    expect(adoptions).toBeGreaterThan(seeds);
  }, 600_000);
});
