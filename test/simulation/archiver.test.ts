import { simulateArchiver } from './archiver-simulation.ts';
import { testMachine } from './machine-tests.ts';

testMachine('archiver', {
  'consulting the entry in its place': (seed) =>
    simulateArchiver(seed, { faults: true, recreated: true, chainNotConsulted: true }),
  'If-None-Match': (seed) => simulateArchiver(seed, { faults: true, recreated: true, noIfNoneMatch: true }),
  'finishing an entry whose objects are missing': (seed) =>
    simulateArchiver(seed, { faults: true, recreated: true, noFinish: true }),
  'looking whether the log is the one that was read': (seed) =>
    simulateArchiver(seed, { faults: true, recreated: true, noLogCheck: true }),
  'giving up what a log that was deleted has left unwritten': (seed) =>
    simulateArchiver(seed, { faults: true, recreated: true, noGivingUp: true }),
});
