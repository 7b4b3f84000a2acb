import { commonSettings } from '../../lib/config/common.ts';
import { defineSettings, durationMs, integer, type SettingsOf } from '../../lib/config/settings.ts';

/** Of `spanloom audit --follow`, besides those of span-router, graph-builder and the archive that it needs, too. */
export const settings = defineSettings({
  ...commonSettings,
  AUDIT_INTERVAL_MS: durationMs({
    default: 60_000,
    min: 1_000,
    max: 86_400_000,
    description: 'Pause between two rounds. A round judges what has become due since the one before.',
  }),
  AUDIT_LOOKBACK_MS: durationMs({
    default: 600_000,
    min: 0,
    max: 30 * 86_400_000,
    description: 'How far back the first round begins. It keeps no state: after a restart it begins so far back again.',
  }),
  AUDIT_KEYS_MAX: integer({
    default: 1_000_000,
    min: 10_000,
    max: 100_000_000,
    unit: 'keys',
    description:
      'Keys that it holds at once, about 100 bytes each: one for each span, pair or counter that it compares. What needs more is read in several passes.',
  }),
});

export type AuditSettings = SettingsOf<typeof settings>;
