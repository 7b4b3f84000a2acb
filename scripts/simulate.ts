/**
 * `npm run simulate -- [--seeds N] [--seed-from S] [--machine NAME|all]`: runs production code under a seeded scheduler
 * with faults. Prints each seed that fails and how to run it again; exits with 1 when there was one.
 */
import { parseArgs } from 'node:util';
import { MACHINES } from '../test/simulation/machines.ts';

const PROGRESS_MS = 5_000;
const names = Object.keys(MACHINES);
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    'seed-from': { type: 'string', default: '1' },
    machine: { type: 'string', default: 'all' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const seeds = Number(values.seeds);
const from = Number(values['seed-from']);
const chosen = values.machine === 'all' ? names : names.filter((name) => name === values.machine);
const isUsable = Number.isSafeInteger(seeds) && seeds > 0 && Number.isSafeInteger(from) && chosen.length > 0;

if (values.help || !isUsable) {
  process.stderr.write(`Usage: npm run simulate -- [--seeds 300] [--seed-from 1] [--machine ${names.join('|')}|all]
Example, to replay one seed: npm run simulate -- --machine router --seed-from 17 --seeds 1\n`);
  process.exit(values.help ? 0 : 64);
}

for (const name of chosen) await simulate(name);

async function simulate(name: string): Promise<void> {
  const startedMs = performance.now();
  let failed = 0;
  let tellAtMs = startedMs + PROGRESS_MS;
  for (let seed = from; seed < from + seeds; seed++) {
    const { problems, decisions } = await (MACHINES[name] as (typeof MACHINES)[string])(seed);
    if (seeds === 1) process.stdout.write(`${name} seed ${seed}: decisions ${(decisions >>> 0).toString(16)}\n`);
    if (problems.length > 0) {
      failed++;
      process.stdout.write(`${name} seed ${seed} FAILED: ${problems.join('; ')}\n`);
      process.stdout.write(`  again: npm run simulate -- --machine ${name} --seed-from ${seed} --seeds 1\n`);
      process.exitCode = 1;
    }
    if (performance.now() < tellAtMs) continue;
    tellAtMs = performance.now() + PROGRESS_MS;
    process.stderr.write(`${name}: ${seed - from + 1} of ${seeds} seeds, ${failed} failed\n`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${name}: ${seeds} seeds from ${from}, ${failed} failed, ${seconds} s\n`);
}
