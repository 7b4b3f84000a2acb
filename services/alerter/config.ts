import { commonSettings } from '../../lib/config/common.ts';
import {
  bytes,
  decimalNumber,
  defineSettings,
  durationMs,
  integer,
  ratio,
  type SettingsOf,
} from '../../lib/config/settings.ts';
import { ownerSettings } from '../../lib/owners/owner-settings.ts';
import { DEFAULT_RULES, type Rules } from './core/rules.ts';

export const settings = defineSettings({
  ...commonSettings,
  ALERT_SCORE_MIN: decimalNumber({
    default: DEFAULT_RULES.threshold,
    min: 3,
    max: 100,
    description:
      'Score that an alert needs: the logarithm of how much better the errors are explained by a risen rate than by the usual one. 12 allows about one false alert in 50 days for each subject, 15 one in three years.',
  }),
  ALERT_ERRORS_MIN: integer({
    default: DEFAULT_RULES.errorsMin,
    min: 1,
    max: 1_000_000,
    unit: 'errors',
    description: 'Errors, or slow calls, that an alert needs within its window, however clear the rise is.',
  }),
  ALERT_RATE_RISE_MIN: ratio({
    default: DEFAULT_RULES.rateRiseMin,
    description: 'The error rate must be above the usual one by at least this much.',
  }),
  ALERT_RATE_RATIO_MIN: decimalNumber({
    default: DEFAULT_RULES.rateRatioMin,
    min: 1,
    max: 1_000,
    description: 'The error rate, or the share of slow calls, must be at least this many times the usual one.',
  }),
  ALERT_SLOWER_RATIO_MIN: decimalNumber({
    default: DEFAULT_RULES.slowerRatioMin,
    min: 1,
    max: 100,
    description:
      'A call is slow when it takes longer than the usual 95th percentile of its subject by at least this factor.',
  }),
  ALERT_SLOWER_BY_MIN_MS: decimalNumber({
    default: DEFAULT_RULES.slowerByMinMs,
    min: 0,
    max: 3_600_000,
    description: 'A call is slow when it takes longer than that percentile by at least so many milliseconds.',
  }),
  ALERT_SLOW_RISE_MIN: ratio({
    default: DEFAULT_RULES.slowRiseMin,
    description: 'The share of slow calls must be above the usual one by at least this much.',
  }),
  ALERT_BASELINE_HALF_LIFE_MS: durationMs({
    default: DEFAULT_RULES.baselineHalfLifeMs,
    min: 60_000,
    max: 30 * 86_400_000,
    description: 'How fast the usual rate forgets: what is this old counts half.',
  }),
  ALERT_CALM_MS: durationMs({
    default: DEFAULT_RULES.calmMs,
    min: 10_000,
    max: 3_600_000,
    description: 'An alert is over when its rate has been usual for this long.',
  }),
  ALERT_STALE_MS: durationMs({
    default: DEFAULT_RULES.staleMs,
    min: 30_000,
    max: 86_400_000,
    description: 'An alert without any traffic for this long ends as stale: silence is no recovery.',
  }),
  ALERT_EXPIRE_MS: durationMs({
    default: DEFAULT_RULES.expireMs,
    min: 600_000,
    max: 30 * 86_400_000,
    description: 'An alert that is open for this long ends as expired, and its rate is taken for usual from then on.',
  }),
  ALERT_REOPEN_MS: durationMs({
    default: DEFAULT_RULES.reopenMs,
    min: 0,
    max: 86_400_000,
    description: 'The same cause within this time after an incident reopens it instead of opening another.',
  }),
  ALERT_PENDING_MS: durationMs({
    default: DEFAULT_RULES.pendingMs,
    min: 0,
    max: 60_000,
    description: 'How long the first alert of an incident waits for others, so that one fault is one incident.',
  }),
  ALERT_UPDATE_MS: durationMs({
    default: DEFAULT_RULES.updateMs,
    min: 1_000,
    max: 3_600_000,
    description: 'Least time between two announcements of an open incident, unless its cause or severity changes.',
  }),
  ...ownerSettings,
  ALERT_SUBJECTS_MAX: integer({
    default: DEFAULT_RULES.subjectsMax,
    min: 100,
    max: 1_000_000,
    unit: 'subjects',
    description:
      'Edges, services and entry operations that are watched at once; further ones are counted, not watched.',
  }),
  COMMIT_INTERVAL_MS: durationMs({
    default: 10_000,
    min: 10,
    max: 60_000,
    description:
      'Time between two transactions while there is something to commit; an announcement is committed at once. As long as a window, so that the state of a busy subject is written once in each; so much is read again after a crash.',
  }),
  FETCH_BYTES_MAX: bytes({
    default: 1024 * 1024,
    min: 64 * 1024,
    max: 16 * 1024 * 1024,
    description: 'Most bytes asked for in one fetch of one partition, as compressed on the broker.',
  }),
});

export type AlerterSettings = SettingsOf<typeof settings>;

export function rulesOf(values: AlerterSettings): Rules {
  return {
    ...DEFAULT_RULES,
    threshold: values.ALERT_SCORE_MIN,
    errorsMin: values.ALERT_ERRORS_MIN,
    rateRiseMin: values.ALERT_RATE_RISE_MIN,
    rateRatioMin: values.ALERT_RATE_RATIO_MIN,
    slowerRatioMin: values.ALERT_SLOWER_RATIO_MIN,
    slowerByMinMs: values.ALERT_SLOWER_BY_MIN_MS,
    slowRiseMin: values.ALERT_SLOW_RISE_MIN,
    baselineHalfLifeMs: values.ALERT_BASELINE_HALF_LIFE_MS,
    calmMs: values.ALERT_CALM_MS,
    staleMs: values.ALERT_STALE_MS,
    expireMs: values.ALERT_EXPIRE_MS,
    reopenMs: values.ALERT_REOPEN_MS,
    pendingMs: values.ALERT_PENDING_MS,
    updateMs: values.ALERT_UPDATE_MS,
    subjectsMax: values.ALERT_SUBJECTS_MAX,
  };
}
