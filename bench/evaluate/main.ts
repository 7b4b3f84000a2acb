/** `npm run evaluate`: how well the production code detects, names causes and counts who is hit, on seeded input. */
import { parseArgs } from 'node:util';
import { UsageError, wholeNumber } from '../../cli/command.ts';
import { type CauseFigures, figuresOf, ofClasses } from './cause/figures.ts';
import type { ScenarioOutcome } from './cause/run-scenario.ts';
import { runScenarios } from './cause/scenario-pool.ts';
import { type DetectorFigures, evaluateDetector } from './detector.ts';
import { tellCause, tellDetector } from './tell.ts';

const HELP = `Usage: npm run evaluate -- [options]

Measures how well the alerter's production code works, on input drawn from a seed, with 95 % intervals.

  detector  counts of calls and errors, watched by the detector alone: false alerts, recall, delay
  cause     spans of made-up systems of 10 to 300 services in which a known fault is, through the cores of assembler,
            graph-builder and alerter: is the cause right, is the blast radius, how many incidents, how soon; beside
            two simple rules

  --part P       detector or cause (default: both)
  --seed N       seed of everything drawn (default 1)
  --edge-days N  detector: healthy edge-days, once without and once with overdispersion (default 1024)
  --trials N     detector: faults of each kind (default 200)
  --faults N     cause: scenarios of each fault class (default 12)
  --json         the result as the last line, as JSON; null for what was not measured

Examples:
  npm run evaluate
  npm run evaluate -- --part cause --faults 2
  npm run evaluate -- --seed 7 --json
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const { values } = parsed(args);
    if (values.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const seed = wholeNumber(values.seed, '--seed', 0, 2 ** 31 - 1);
    const edgeDays = wholeNumber(values['edge-days'], '--edge-days', 1, 100_000);
    const trials = wholeNumber(values.trials, '--trials', 1, 10_000);
    const perClass = wholeNumber(values.faults, '--faults', 1, 1_000);
    const { part } = values;
    if (part !== undefined && part !== 'detector' && part !== 'cause') {
      throw new UsageError(`--part is detector or cause, not '${part}'`);
    }
    const detector = part === 'cause' ? undefined : evaluateDetector({ seed, edgeDays, trials });
    if (detector !== undefined) process.stdout.write(tellDetector(detector));
    const scenarios = part === 'detector' ? undefined : await runScenarios({ seed, perClass }, showProgress);
    if (scenarios !== undefined) process.stdout.write(tellCause(scenarios));
    if (values.json) process.stdout.write(`${JSON.stringify(summary(detector, scenarios))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        part: { type: 'string' },
        seed: { type: 'string', default: '1' },
        'edge-days': { type: 'string', default: '1024' },
        trials: { type: 'string', default: '200' },
        faults: { type: 'string', default: '12' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. npm run evaluate -- --help lists the options.`);
  }
}

function showProgress(done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} scenarios${done === of ? '\n' : ''}`);
}

function summary(detector: DetectorFigures | undefined, scenarios: readonly ScenarioOutcome[] | undefined) {
  const error = scenarios && figuresOf(ofClasses(scenarios, (faultClass) => faultClass !== 'latency'));
  const latency = scenarios && figuresOf(ofClasses(scenarios, (faultClass) => faultClass === 'latency'));
  return {
    falseAlertsPerEdgeDay: detector?.falseAlertsPerEdgeDay.value ?? null,
    falseAlertsPerEdgeDayOverdispersed: detector?.falseAlertsPerEdgeDayOverdispersed.value ?? null,
    delayS: {
      plus30at5rps: detector?.plus30at5rps.medianDelayS ?? null,
      'plus30at0.5rps': detector?.plus30atHalfRps.medianDelayS ?? null,
    },
    recallPlus10at5rps: detector?.plus10at5rps.recall.value ?? null,
    causeAt1: { error: error?.at1.value ?? null, latency: ofDetected(latency, latency?.at1.value) },
    causeAt3: { error: error?.at3.value ?? null, latency: ofDetected(latency, latency?.at3.value) },
    blastRadiusF1: error?.radius.f1.value ?? null,
    incidentsPerFault: error?.incidentsPerFault ?? null,
  };
}

/** Null when nothing watches latency: then no cause of it was looked for. */
function ofDetected(figures: CauseFigures | undefined, value: number | undefined): number | null {
  return figures === undefined || figures.detected.value === 0 ? null : (value ?? null);
}
