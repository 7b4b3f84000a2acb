import { testMachine } from './machine-tests.ts';
import { simulateRouter } from './router-simulation.ts';

const BROKEN = {
  'the claim': (seed: number) => simulateRouter(seed, { faults: true, noClaim: true }),
  fencing: (seed: number) => simulateRouter(seed, { faults: true, noFence: true }),
  'the ledger in the same transaction': (seed: number) => simulateRouter(seed, { faults: true, ledgerApart: true }),
  'looking whether the log is still the one that was read': (seed: number) =>
    simulateRouter(seed, { faults: true, noLogCheck: true }),
  'looking again after it stood still': (seed: number) =>
    simulateRouter(seed, { faults: true, topicIds: false, noLookAgain: true }),
  'reading a topic by its id': (seed: number) =>
    simulateRouter(seed, { faults: true, topicIds: true, anyTopicId: true }),
  "the topic's id in the ledger": (seed: number) =>
    simulateRouter(seed, { faults: true, topicIds: true, noTopicIdKept: true }),
};

testMachine('router', BROKEN, ['truncations', 'recreated', 'halts']);
