import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { DetectorTable } from '../../services/alerter/core/detector-table.ts';
import { DEFAULT_RULES } from '../../services/alerter/core/rules.ts';
import { drawErrors, drawPoisson } from './draw-counts.ts';
import { type Estimate, median, ratePer, share } from './estimate.ts';

export interface DetectorFigures {
  readonly edgeDays: number;
  readonly falseAlertsPerEdgeDay: Estimate;
  readonly falseAlertsPerEdgeDayOverdispersed: Estimate;
  readonly plus30at5rps: Trials;
  readonly plus30atHalfRps: Trials;
  readonly plus10at5rps: Trials;
}

export interface Trials {
  readonly recall: Estimate;
  /** Of the faults that were found, in seconds from onset to the end of the window that fired. */
  readonly medianDelayS: number;
}

/**
 * The production detector on drawn counts, one evaluation at the end of each 10-s window. Counts of false alerts are
 * over `edgeDays` healthy days each without and with overdispersion (rho 0.005), spread over rates and base error
 * rates; the first half day of every edge is warm-up. Faults last 15 minutes.
 */
export function evaluateDetector(options: { seed: number; edgeDays: number; trials: number }): DetectorFigures {
  const random = new SeededRandom(options.seed);
  const trials = (perSecond: number, rise: number) => findFaults(random, perSecond, rise, options.trials);
  return {
    edgeDays: options.edgeDays,
    falseAlertsPerEdgeDay: falseAlerts(random, options.edgeDays, 0),
    falseAlertsPerEdgeDayOverdispersed: falseAlerts(random, options.edgeDays, 0.005),
    plus30at5rps: trials(5, 0.3),
    plus30atHalfRps: trials(0.5, 0.3),
    plus10at5rps: trials(5, 0.1),
  };
}

function falseAlerts(random: SeededRandom, edgeDays: number, rho: number): Estimate {
  const edges = RATES.length * BASE_ERRORS.length;
  const windows = Math.round((edgeDays / edges) * WINDOWS_PER_DAY);
  let episodes = 0;
  for (const perSecond of RATES) {
    for (const base of BASE_ERRORS) {
      const edge = new WatchedEdge(random, perSecond, base, rho);
      for (let i = 0; i < WINDOWS_PER_DAY / 2; i++) edge.step(0);
      for (let i = 0; i < windows; i++) if (edge.step(0) === 'fired') episodes++;
    }
  }
  const days = (windows * edges) / WINDOWS_PER_DAY;
  return ratePer(days, episodes);
}

function findFaults(random: SeededRandom, perSecond: number, rise: number, count: number): Trials {
  const delays: number[] = [];
  for (let trial = 0; trial < count; trial++) {
    const edge = new WatchedEdge(random, perSecond, BASE_ERRORS[trial % BASE_ERRORS.length] as number, 0);
    for (let i = 0; i < WARM_UP_WINDOWS; i++) edge.step(0);
    edge.settle();
    // The fault begins somewhere within its first window.
    const before = random.float();
    for (let i = 0; i < FAULT_WINDOWS; i++) {
      if (edge.step(i === 0 ? rise * (1 - before) : rise) !== 'fired') continue;
      delays.push((i + 1 - before) * WINDOW_S);
      break;
    }
  }
  return { recall: share(delays.length, count), medianDelayS: median(delays) };
}

/** One edge with traffic of daily ups and downs and drifting base errors, watched by a detector. */
class WatchedEdge {
  private readonly table = new DetectorTable(DEFAULT_RULES);
  private readonly random: SeededRandom;
  private readonly perWindow: number;
  private readonly base: number;
  private readonly rho: number;
  private readonly row: number;
  private readonly phase: number;
  private window = 0;

  constructor(random: SeededRandom, perSecond: number, base: number, rho: number) {
    this.random = random;
    this.perWindow = perSecond * WINDOW_S;
    this.base = base;
    this.rho = rho;
    this.phase = random.float() * 2 * Math.PI;
    const subject = {
      kind: 'edge',
      client: 'a',
      server: 'b',
      operation: '',
      connectionType: '',
      peerKind: '',
    } as const;
    this.row = this.table.add(subject, 0, 0);
  }

  /** A window with the error rate risen by `rise`. */
  step(rise: number): 'fired' | 'quiet' {
    const day = (2 * Math.PI * this.window) / WINDOWS_PER_DAY;
    const traffic = 1 + 0.6 * Math.sin(day + this.phase);
    const base = this.base * Math.exp(0.3 * Math.sin(day * 3 + this.phase));
    const calls = drawPoisson(this.random, this.perWindow * (rise === 0 ? traffic : 1));
    const errors = drawErrors(this.random, calls, Math.min(1, base + rise), this.rho);
    this.table.count(this.row, this.window++, calls, errors, calls, 0);
    if (this.table.isOpen(this.row)) {
      if (this.table.hasCalmedDown(this.row)) this.table.close(this.row);
      return 'quiet';
    }
    const finding = this.table.evaluate(this.row);
    if (finding === undefined) return 'quiet';
    this.table.open(this.row, finding.onset);
    return 'fired';
  }

  /** Ends a false alert of the warm-up, so that a trial begins with a closed row. */
  settle(): void {
    if (this.table.isOpen(this.row)) this.table.close(this.row);
  }
}

const RATES = [0.05, 0.5, 5, 50];
const BASE_ERRORS = [0.0002, 0.002, 0.01, 0.05];
const WINDOW_S = DEFAULT_RULES.windowMs / 1000;
const WINDOWS_PER_DAY = 86_400 / WINDOW_S;
const WARM_UP_WINDOWS = 1_080;
const FAULT_WINDOWS = 90;
