import { kafkaSettings } from './kafka.ts';
import { choice, durationMs, flag, integer, type Settings, text } from './settings.ts';

export { kafkaSettings, kafkaSettingsOf } from './kafka.ts';
export { redisSettings } from './redis.ts';
export { s3Settings } from './s3.ts';

const HOUR_MS = 3_600_000;

/** What every service has. Spread into its declaration: `defineSettings({ ...commonSettings, … })`. */
export const commonSettings = {
  SPANLOOM_PREFIX: text({
    default: 'spanloom',
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    allowed: 'up to 100 letters, digits, dots, dashes and underscores, a letter or digit first',
    description:
      'Heads topics, consumer groups, transactional ids, Redis keys and archive objects, so that several pipelines share servers without touching one another.',
  }),
  ...kafkaSettings,
  PARTITIONS: integer({
    default: 12,
    min: 1,
    max: 1_000,
    unit: 'partitions',
    description:
      'Partitions of the trace topics, fixed when they are created; a service refuses to start on another count. More partitions let more processes share the work, and each costs a transactional producer.',
  }),
  TOPICS_CREATE: flag({
    default: true,
    description:
      'Creates missing topics at start. Turn it off where services may not create topics, and run `spanloom topics create`.',
  }),
  TOPIC_REPLICATION: integer({
    min: 1,
    max: 10,
    unit: 'replicas',
    defaultText: '3, or the number of brokers if lower',
    description:
      "Replicas of topics that are created. From 2 on, writes wait for two replicas (min.insync.replicas). With one, the loss of a broker's disk loses spans.",
  }),
  SPANS_RETENTION_MS: durationMs({
    default: 24 * HOUR_MS,
    min: HOUR_MS,
    max: 366 * 24 * HOUR_MS,
    description:
      'Retention of the spans topic: how long trace-assemblers may all be down without losing spans. An existing topic must have it.',
  }),
  TRACES_RETENTION_MS: durationMs({
    default: 72 * HOUR_MS,
    min: 2 * HOUR_MS,
    max: 732 * 24 * HOUR_MS,
    description:
      'Retention of traces and service edges; existing topics must have at least this. At least twice that of spans, because recovery reads traces back further.',
    check: (all) =>
      Number(all['TRACES_RETENTION_MS']) >= 2 * Number(all['SPANS_RETENTION_MS'])
        ? undefined
        : `TRACES_RETENTION_MS (${all['TRACES_RETENTION_MS']}) is less than twice SPANS_RETENTION_MS (${all['SPANS_RETENTION_MS']}); recovery reads traces back further than spans, so raise it or lower the other.`,
  }),
  LOG_LEVEL: choice({
    values: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'Lowest level that is logged.',
  }),
  LOG_FORMAT: choice({
    values: ['auto', 'json', 'pretty'],
    default: 'auto',
    description: 'auto is pretty on a terminal and one JSON object per line otherwise. NO_COLOR turns colours off.',
  }),
  METRICS_PORT: integer({
    default: 0,
    min: 0,
    max: 65_535,
    description: 'Port of /metrics, /healthz and /readyz; 0 takes a free one, which is printed at start.',
  }),
  METRICS_HOST: text({
    default: '127.0.0.1',
    pattern: /^[A-Za-z0-9.:-]+$/,
    allowed: 'a host name or an address',
    description:
      'Address that port is bound to. Metrics need no login: another address than loopback belongs behind a network policy.',
  }),
} satisfies Settings;
