import { commonSettings } from '../../lib/config/common.ts';
import {
  bytes,
  choice,
  defineSettings,
  durationMs,
  integer,
  type SettingsOf,
  text,
} from '../../lib/config/settings.ts';

export const settings = defineSettings({
  ...commonSettings,
  GRAPH_MODE: choice({
    values: ['accurate', 'zipkin'],
    default: 'accurate',
    description:
      'accurate: the calls as they were. zipkin: as Zipkin counts dependency links, with its known errors, for a graph that must agree with an existing Zipkin.',
  }),
  GRAPH_OWNER_ATTRIBUTE: text({
    default: 'team',
    pattern: /^(?!service\.(?:name|version)$)[\x21-\x7e]{1,128}$/,
    allowed: 'the name of an attribute',
    description:
      'Resource attribute that names the team which owns a service; incidents say whom they concern. SERVICE_OWNERS of the alerter wins over it.',
  }),
  GRAPH_HORIZON_MS: durationMs({
    default: 300_000,
    min: 1_000,
    max: 86_400_000,
    description:
      'How long after a trace a later revision of it still corrects what was said of it. Longer than TRACE_HORIZON_MS of the trace-assembler brings nothing.',
  }),
  GRAPH_TRACES_MAX: integer({
    default: 200_000,
    min: 1_000,
    max: 10_000_000,
    unit: 'trace records',
    description:
      'Trace records of one partition that are known within the horizon, the newest; about 200 bytes each. A revision whose earlier ones are not known is counted by itself.',
  }),
  GRAPH_TRACE_BYTES_MAX: bytes({
    default: 8 * 1024 * 1024,
    min: 64 * 1024,
    max: 64 * 1024 * 1024,
    description: 'All revisions of a trace together; beyond it a revision is counted by itself.',
  }),
  GRAPH_SERVICES_MAX: integer({
    default: 2_000,
    min: 10,
    max: 100_000,
    unit: 'services',
    description: 'Names of services and peers between two overflows; further ones are counted as __other__.',
  }),
  GRAPH_OPERATIONS_MAX: integer({
    default: 20_000,
    min: 100,
    max: 500_000,
    unit: 'operations',
    description: 'Names of operations of all services; further ones are counted as __other__ of their service.',
  }),
  GRAPH_OPERATIONS_PER_SERVICE_MAX: integer({
    default: 500,
    min: 10,
    max: 100_000,
    unit: 'operations',
    description: 'The same for one service, so that a service that puts ids into span names drowns only itself.',
  }),
  GRAPH_METRIC_SERIES_MAX: integer({
    default: 5_000,
    min: 100,
    max: 1_000_000,
    unit: 'series',
    description:
      'Label sets of each of traces_service_graph_* and traces_spanmetrics_*; what comes beyond them goes into the series metric_overflow="true" and is counted in series_overflow_total.',
  }),
  GRAPH_METRIC_STALE_MS: durationMs({
    default: 900_000,
    min: 60_000,
    max: 86_400_000,
    description:
      'A label set of those metrics that got nothing for so long goes away, and begins at zero when it comes back.',
  }),
  COMMIT_INTERVAL_MS: durationMs({
    default: 1_000,
    min: 10,
    max: 5_000,
    description:
      'Time between two transactions while there is something to commit: deltas of one subject within it become one record.',
  }),
  FETCH_BYTES_MAX: bytes({
    default: 256 * 1024,
    min: 64 * 1024,
    max: 16 * 1024 * 1024,
    description:
      'Most bytes asked for in one fetch of one partition, as compressed on the broker; in memory they are about ten times that.',
  }),
});

export type GraphServiceSettings = SettingsOf<typeof settings>;
