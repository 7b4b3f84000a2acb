import { simulateGraphBuilder } from './graph-simulation.ts';
import { testMachine } from './machine-tests.ts';

testMachine('graph-builder', {
  'the claim': (seed) => simulateGraphBuilder(seed, { faults: true, noClaim: true }),
  fencing: (seed) => simulateGraphBuilder(seed, { faults: true, noFence: true }),
  'the ledger in the same transaction': (seed) => simulateGraphBuilder(seed, { faults: true, ledgerApart: true }),
  'reading earlier revisions again': (seed) => simulateGraphBuilder(seed, { faults: true, noReadAgain: true }),
});
