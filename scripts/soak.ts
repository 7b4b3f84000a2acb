/**
 * `npm run soak -- [--minutes M] [--seed S] [--spans-per-second N]`: the pipeline under steady traffic and random faults,
 * then the audit. Exits with 0 only when that is clean, every fault happened as it should, and all spans came through.
 */
import { parseArgs } from 'node:util';
import { describeError } from '../lib/errors/spanloom-error.ts';
import { startFaultStack } from '../test/faults/rig/fault-stack.ts';
import { runSoak, type SoakResult } from '../test/faults/soak/run-soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    'spans-per-second': { type: 'string', default: '500' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const spansPerSecond = Number(values['spans-per-second']);
const isUsable = minutes > 0 && Number.isSafeInteger(seed) && spansPerSecond > 0;

if (values.help || !isUsable) {
  process.stderr.write(`Usage: npm run soak -- [--minutes 30] [--seed S] [--spans-per-second 500]
The seed is printed; the same one brings the same faults in the same order.\n`);
  process.exit(values.help ? 0 : 64);
}

process.stdout.write(`soak: ${minutes} min, ${spansPerSecond} spans/s, seed ${seed}\n`);
const stack = await startFaultStack();
try {
  const onProgress = (line: string) => process.stderr.write(`${line}\n`);
  const result = await runSoak(stack, { minutes, seed, spansPerSecond, onProgress });
  tell(result);
  const failed = result.faults.some(({ problem }) => problem !== undefined);
  process.exitCode = result.audit.clean && result.audit.code === 0 && !failed ? 0 : 1;
} catch (error) {
  process.stderr.write(`${describeError(error)}\nagain: npm run soak -- --minutes ${minutes} --seed ${seed}\n`);
  process.exitCode = 1;
} finally {
  await stack.stop();
}

function tell({ spans, faults, restarts, memory, quietMemory, audit }: SoakResult): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const failed = faults.filter(({ problem }) => problem !== undefined);
  const kinds = new Set(faults.map(({ name }) => name)).size;
  line(`${spans} spans, ${faults.length} faults of ${kinds} kinds, ${restarts} restarts`);
  for (const { name, problem } of failed) line(`NOT AS IT SHOULD BE  ${name}: ${problem}`);
  line('memory            highest MB   slope MB/h (with faults)   slope MB/h (last quarter)');
  for (const { service, highest, slopePerHour } of memory) {
    const quiet = quietMemory.find((other) => other.service === service)?.slopePerHour ?? 0;
    const cells = [highest / 1e6, slopePerHour / 1e6, quiet / 1e6].map((value) => value.toFixed(0).padStart(12));
    line(`${service.padEnd(16)}${cells[0]}${cells[1]?.padStart(27)}${cells[2]?.padStart(28)}`);
  }
  for (const { stage, unit, matched, missing, double, foreign, altered, open } of audit.stages) {
    line(
      `audit ${stage}: ${matched} ${unit}, ${missing} missing, ${double} double, ${foreign + altered} foreign or altered, ${open} open`,
    );
  }
  line(audit.clean ? 'clean' : 'NOT CLEAN');
}
