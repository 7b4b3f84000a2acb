import { testMachine } from './machine-tests.ts';
import { simulateRouter } from './router-simulation.ts';

testMachine('router', {
  'the claim': (seed) => simulateRouter(seed, { faults: true, noClaim: true }),
  fencing: (seed) => simulateRouter(seed, { faults: true, noFence: true }),
  'the ledger in the same transaction': (seed) => simulateRouter(seed, { faults: true, ledgerApart: true }),
});
