import { type ArchiverOptions, simulateArchiver } from './archiver-simulation.ts';
import { testMachine } from './machine-tests.ts';

const without = (rule: Partial<ArchiverOptions>) => (seed: number) => simulateArchiver(seed, { faults: true, ...rule });

const BROKEN = {
  'consulting the entry in its place': without({ chainNotConsulted: true }),
  'If-None-Match': without({ noIfNoneMatch: true }),
  'finishing an entry whose objects are missing': without({ noFinish: true }),
  'looking whether the log is the one that was read': without({ topicIds: false, noLogCheck: true }),
  'reading a topic by its id, and looking which one it is': without({
    topicIds: true,
    anyTopicId: true,
    noLogCheck: true,
  }),
  'asking the log itself whether it ends before its chain': without({ topicIds: false, believesEnd: true }),
  'looking whether somebody has begun the next generation': without({ topicIds: false, noGenerationCheck: true }),
  'comparing the records of an entry by their digests': without({ topicIds: false, noDigest: true }),
  'giving up what a log that was deleted has left unwritten': without({ noGivingUp: true }),
};

testMachine('archiver', BROKEN, ['recreated', 'truncations', 'gaps', 'finished', 'lost']);
