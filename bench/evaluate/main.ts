/** `npm run evaluate`: how well the alerter's production code detects, on seeded input. */
import { parseArgs } from 'node:util';
import { UsageError, wholeNumber } from '../../cli/command.ts';
import { type DetectorFigures, type Estimate, evaluateDetector, type Trials } from './detector.ts';

const HELP = `Usage: npm run evaluate -- [options]

Draws counts of calls and errors, lets the production detector watch them, and prints false alerts and delay with
95 % intervals.

  --seed N       seed of everything drawn (default 1)
  --edge-days N  healthy edge-days, once without and once with overdispersion (default 1024)
  --trials N     faults of each kind (default 200)
  --json         the result as the last line, as JSON

Examples:
  npm run evaluate
  npm run evaluate -- --seed 7 --json
`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    seed: { type: 'string', default: '1' },
    'edge-days': { type: 'string', default: '1024' },
    trials: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else {
  try {
    const figures = evaluateDetector({
      seed: wholeNumber(values.seed, '--seed', 0, 2 ** 31 - 1),
      edgeDays: wholeNumber(values['edge-days'], '--edge-days', 1, 100_000),
      trials: wholeNumber(values.trials, '--trials', 1, 10_000),
    });
    process.stdout.write(told(figures));
    if (values.json) process.stdout.write(`${JSON.stringify(summary(figures))}\n`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

function told(figures: DetectorFigures): string {
  return [
    `False alerts per edge-day (${figures.edgeDays} edge-days each): ${interval(figures.falseAlertsPerEdgeDay)}`,
    `  with overdispersed errors (rho 0.005): ${interval(figures.falseAlertsPerEdgeDayOverdispersed)}`,
    `+30 points at 5 rps:   ${fault(figures.plus30at5rps)}`,
    `+30 points at 0.5 rps: ${fault(figures.plus30atHalfRps)}`,
    `+10 points at 5 rps:   ${fault(figures.plus10at5rps)}\n`,
  ].join('\n');
}

function fault({ recall, medianDelayS }: Trials): string {
  return `recall ${interval(recall)}, median delay ${medianDelayS.toFixed(1)} s`;
}

function interval({ value, low, high }: Estimate): string {
  return `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}

function summary(figures: DetectorFigures) {
  return {
    falseAlertsPerEdgeDay: figures.falseAlertsPerEdgeDay.value,
    falseAlertsPerEdgeDayOverdispersed: figures.falseAlertsPerEdgeDayOverdispersed.value,
    delayS: {
      plus30at5rps: figures.plus30at5rps.medianDelayS,
      'plus30at0.5rps': figures.plus30atHalfRps.medianDelayS,
    },
    recallPlus10at5rps: figures.plus10at5rps.recall.value,
  };
}
