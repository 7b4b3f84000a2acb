import type { Alert, AlertState, DetectorFinding } from '../../../lib/codec/incident-records.ts';
import { DETECTOR_NAME, DETECTOR_VERSION, EFFECTIVE_TESTS_PER_DAY } from './rules.ts';

/** An alert as incidents carry it. */
export function alertOf(alert: AlertState, windowMs: number): Alert {
  const { kind, client, server, operation, connectionType, windowSeconds, score, calls, errors, baselineRate } = alert;
  const { signal, slowerThanMicros } = alert;
  const firedAt = alert.firedWindow * windowMs * 1000;
  return {
    ...{ kind, client, server, operation, connectionType, firedAt, windowSeconds, score },
    ...{ calls, errors, baselineRate, signal, slowerThanMicros },
  };
}

/** What the detector saw that fired. */
export function findingOf(alert: AlertState, threshold: number): DetectorFinding {
  const { windowSeconds, score, dispersion, calls, errors, baselineRate, baselineCalls } = alert;
  const { signal, slowerThanMicros } = alert;
  return {
    ...{ name: DETECTOR_NAME, version: DETECTOR_VERSION, windowSeconds, threshold, score, dispersion },
    ...{ calls, errors, rate: calls > 0 ? errors / calls : 0, baselineRate, baselineCalls },
    ...{ falseAlertsPerDay: EFFECTIVE_TESTS_PER_DAY * Math.exp(-score), signal, slowerThanMicros },
  };
}
