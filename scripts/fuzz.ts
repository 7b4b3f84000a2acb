/**
 * `npm run test:fuzz [-- --records 100000] [--seed N]`: so many damaged records of every encoding through the decoders of
 * lib/codec/ingest. Prints the seed; exits with 1 and the record at the first that is handled wrongly.
 */
import { parseArgs } from 'node:util';
import { fuzzDecoders } from '../lib/testkit/formats/fuzz-decoders.ts';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const seed = Number(values.seed);
const records = Number(values.records);
process.stderr.write(`${records} damaged records of each encoding from seed ${seed}\n`);
const report = fuzzDecoders(seed, records);
console.log(JSON.stringify({ seed, ...report, growthMax: Number(report.growthMax.toFixed(2)) }));
