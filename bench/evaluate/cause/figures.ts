import { type Estimate, jackknife, median, share } from '../estimate.ts';
import type { ScenarioOutcome } from './run-scenario.ts';
import type { FaultClass } from './scenario.ts';

/** How well the cause is named and the blast radius counted, over some scenarios. */
export interface CauseFigures {
  readonly faults: number;
  /** Shares of all faults, also of those that nothing was said of. */
  readonly detected: Estimate;
  readonly at1: Estimate;
  readonly at3: Estimate;
  /** Already in the first announcement. */
  readonly at1AtFirst: Estimate;
  /** Seconds from the first request that was hit to the first announcement, of the detected ones. */
  readonly medianDelayS: number;
  readonly incidentsPerFault: number;
  readonly radius: { readonly precision: number; readonly recall: number; readonly f1: Estimate };
  /** Requests told over requests hit, of the detected ones. */
  readonly requestsRatio: number;
  readonly mostErrorSpans: { readonly at1: Estimate; readonly at3: Estimate };
  readonly staticRule: { readonly at1: Estimate; readonly at3: Estimate; readonly alertsPerFault: number };
  /** Of faults that a deploy is to blame for; NaN without any. */
  readonly versionNamed: Estimate;
}

export function figuresOf(scenarios: readonly ScenarioOutcome[]): CauseFigures {
  const faults = scenarios.flatMap((scenario) => scenario.faults);
  type OfFault = (typeof faults)[number];
  const shareOf = (is: (fault: OfFault) => boolean) => share(faults.filter(is).length, faults.length);
  const sum = (of: (scenario: ScenarioOutcome) => number) => scenarios.reduce((total, one) => total + of(one), 0);
  const detected = faults.filter((fault) => fault.detected);
  const versions = faults.filter((fault) => fault.versionNamed !== undefined);
  const { right, wrong, missing } = radiusOf(scenarios);
  return {
    faults: faults.length,
    detected: shareOf((fault) => fault.detected),
    at1: shareOf((fault) => fault.rankAtLast === 1),
    at3: shareOf((fault) => fault.rankAtLast <= 3),
    at1AtFirst: shareOf((fault) => fault.rankAtFirst === 1),
    medianDelayS: median(detected.map(({ delayS }) => delayS)),
    incidentsPerFault: sum(({ incidents }) => incidents) / faults.length,
    radius: {
      precision: right / (right + wrong),
      recall: right / (right + missing),
      f1: jackknife(scenarios, (some) => f1Of(radiusOf(some))),
    },
    requestsRatio:
      detected.reduce((total, { requestsTold }) => total + requestsTold, 0) /
      detected.reduce((total, { requestsHit }) => total + requestsHit, 0),
    mostErrorSpans: {
      at1: shareOf((fault) => fault.mostErrorSpans === 1),
      at3: shareOf((fault) => fault.mostErrorSpans <= 3),
    },
    staticRule: {
      at1: shareOf((fault) => fault.staticRule === 1),
      at3: shareOf((fault) => fault.staticRule <= 3),
      alertsPerFault: sum(({ staticAlerts }) => staticAlerts) / faults.length,
    },
    versionNamed: share(versions.filter(({ versionNamed }) => versionNamed).length, versions.length),
  };
}

export function ofClasses(
  scenarios: readonly ScenarioOutcome[],
  belongs: (faultClass: FaultClass) => boolean,
): ScenarioOutcome[] {
  return scenarios.filter(({ faultClass }) => belongs(faultClass));
}

interface Radius {
  readonly right: number;
  readonly wrong: number;
  readonly missing: number;
}

function radiusOf(scenarios: readonly ScenarioOutcome[]): Radius {
  const sums = { right: 0, wrong: 0, missing: 0 };
  for (const { faults } of scenarios) {
    for (const { radius } of faults) {
      sums.right += radius.right;
      sums.wrong += radius.wrong;
      sums.missing += radius.missing;
    }
  }
  return sums;
}

function f1Of({ right, wrong, missing }: Radius): number {
  return (2 * right) / (2 * right + wrong + missing);
}
