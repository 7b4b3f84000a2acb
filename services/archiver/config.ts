import { ARCHIVE_FORMATS } from '../../lib/archive/object-keys.ts';
import { promotedSettings } from '../../lib/archive/promoted-setting.ts';
import { commonSettings, s3Settings } from '../../lib/config/common.ts';
import { bytes, choice, defineSettings, durationMs, type SettingsOf } from '../../lib/config/settings.ts';

const MIB = 1024 * 1024;

export const settings = defineSettings(
  {
    ...commonSettings,
    ...s3Settings,
    ARCHIVE_FORMAT: choice({
      values: ARCHIVE_FORMATS,
      default: 'parquet',
      description:
        '`parquet`: rows that any SQL engine reads. `otlp`: records as they are, compressed; half the CPU, replayed byte by byte, and Parquet after `spanloom archive compact`. May change at any time.',
    }),
    ...promotedSettings,
    ARCHIVE_RANGE_BYTES_MAX: bytes({
      default: 20 * MIB,
      min: MIB,
      max: 256 * MIB,
      description:
        'Raw bytes of traces of one partition that are written together; the objects have about a tenth of it. Larger objects are better to query and need more memory.',
    }),
    ARCHIVE_RANGE_AGE_MAX_MS: durationMs({
      default: 300_000,
      min: 100,
      max: 86_400_000,
      description:
        'Longest time that a trace waits for others before it is written. Shorter makes more, smaller objects.',
    }),
    ARCHIVE_BUFFER_BYTES_MAX: bytes({
      default: 40 * MIB,
      min: MIB,
      max: 1024 * MIB,
      description:
        'Raw bytes that all partitions of the process gather together. When it is full the largest range is written and the others wait.',
    }),
    FETCH_BYTES_MAX: bytes({
      default: 128 * 1024,
      min: 64 * 1024,
      max: 16 * MIB,
      description:
        'Most bytes asked for in one fetch of one partition, as compressed on the broker; in memory they are about ten times that.',
    }),
  },
  {
    checks: [
      (s) =>
        s.ARCHIVE_RANGE_BYTES_MAX > s.ARCHIVE_BUFFER_BYTES_MAX
          ? `ARCHIVE_RANGE_BYTES_MAX (${s.ARCHIVE_RANGE_BYTES_MAX}) is above ARCHIVE_BUFFER_BYTES_MAX (${s.ARCHIVE_BUFFER_BYTES_MAX}), so it would never be reached; lower it.`
          : undefined,
    ],
  },
);

export type ArchiverSettings = SettingsOf<typeof settings>;
