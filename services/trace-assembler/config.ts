import { commonSettings, redisSettings } from '../../lib/config/common.ts';
import { bytes, choice, defineSettings, durationMs, integer } from '../../lib/config/settings.ts';

export const settings = defineSettings(
  {
    ...commonSettings,
    ...redisSettings,
    WINDOW_STORE: choice({
      values: ['redis', 'memory'],
      default: 'redis',
      description:
        'Where the bytes of open traces are held. memory needs no Redis, but every restart reads back from Kafka.',
    }),
    TRACE_IDLE_TIMEOUT_MS: durationMs({
      default: 10_000,
      min: 100,
      max: 3_600_000,
      description: 'A trace whose root span has come closes when no span has come for this long.',
    }),
    TRACE_ROOTLESS_IDLE_TIMEOUT_MS: durationMs({
      default: 60_000,
      min: 100,
      max: 3_600_000,
      description: 'The same while the root is missing: a request that hangs for 30 s sends its root last.',
    }),
    TRACE_AGE_MAX_MS: durationMs({
      default: 300_000,
      min: 1_000,
      max: 86_400_000,
      description: 'A trace closes this long after its first span, whatever still comes.',
    }),
    TRACE_HORIZON_MS: durationMs({
      default: 300_000,
      min: 1_000,
      max: 86_400_000,
      description: 'How long a closed trace is remembered: late spans become its next revision, copies are dropped.',
    }),
    TRACE_BYTES_MAX: bytes({
      default: 1024 * 1024,
      min: 16 * 1024,
      max: 2 * 1024 * 1024,
      description: 'A trace that would grow beyond this closes and goes on as its next revision.',
    }),
    TRACE_SPANS_MAX: integer({
      default: 10_000,
      min: 1,
      max: 1_000_000,
      unit: 'spans',
      description: 'A trace that would have more spans than this closes and goes on as its next revision.',
    }),
    COMMIT_INTERVAL_MS: durationMs({
      default: 500,
      min: 10,
      max: 5_000,
      description: 'Longest time between two transactions while there is something to commit.',
    }),
    FETCH_BYTES_MAX: bytes({
      default: 128 * 1024,
      min: 64 * 1024,
      max: 16 * 1024 * 1024,
      description:
        'Most bytes asked for in one fetch of one partition, as compressed on the broker; in memory they are about ten times that.',
    }),
    CONTEXTS_MAX: integer({
      default: 10_000,
      min: 16,
      max: 1_000_000,
      unit: 'contexts',
      description: 'Distinct pairs of resource and scope kept for each partition before the older ones are let go.',
    }),
  },
  {
    checks: [
      (s) =>
        s.TRACE_ROOTLESS_IDLE_TIMEOUT_MS < s.TRACE_IDLE_TIMEOUT_MS
          ? `TRACE_ROOTLESS_IDLE_TIMEOUT_MS (${s.TRACE_ROOTLESS_IDLE_TIMEOUT_MS}) is below TRACE_IDLE_TIMEOUT_MS (${s.TRACE_IDLE_TIMEOUT_MS}): traces would close before their root comes; raise it`
          : undefined,
      (s) =>
        s.TRACE_AGE_MAX_MS < s.TRACE_ROOTLESS_IDLE_TIMEOUT_MS
          ? `TRACE_AGE_MAX_MS (${s.TRACE_AGE_MAX_MS}) is below TRACE_ROOTLESS_IDLE_TIMEOUT_MS (${s.TRACE_ROOTLESS_IDLE_TIMEOUT_MS}); raise it`
          : undefined,
    ],
  },
);
