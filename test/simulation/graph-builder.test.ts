import { simulateGraphBuilder } from './graph-simulation.ts';
import { testMachine } from './machine-tests.ts';

const BROKEN = {
  'the claim': (seed: number) => simulateGraphBuilder(seed, { faults: true, noClaim: true }),
  fencing: (seed: number) => simulateGraphBuilder(seed, { faults: true, noFence: true }),
  'the ledger in the same transaction': (seed: number) =>
    simulateGraphBuilder(seed, { faults: true, ledgerApart: true }),
  'looking whether the log is still the one that was read': (seed: number) =>
    simulateGraphBuilder(seed, { faults: true, noLogCheck: true }),
  'looking again after it stood still': (seed: number) =>
    simulateGraphBuilder(seed, { faults: true, topicIds: false, noLookAgain: true }),
  'reading a topic by its id': (seed: number) =>
    simulateGraphBuilder(seed, { faults: true, topicIds: true, anyTopicId: true }),
  'reading earlier revisions again': (seed: number) => simulateGraphBuilder(seed, { faults: true, noReadAgain: true }),
};

testMachine('graph-builder', BROKEN, ['overtaken', 'recreated', 'halts', 'revisions', 'copies']);
