import { homedir } from 'node:os';
import path from 'node:path';
import { ArchiveReader } from '../../lib/archive/archive-reader.ts';
import type { ArchiveSql } from '../../lib/archive/archive-sql.ts';
import type { ObjectProblem } from '../../lib/archive/list-objects.ts';
import type { Dataset, TimeRange } from '../../lib/archive/object-keys.ts';
import {
  canonicalList,
  PROMOTED_DEFAULT,
  type PromotedList,
  promotedSettings,
} from '../../lib/archive/promoted-setting.ts';
import { commonSettings, s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { type Bucket, openBucket } from '../../lib/s3/bucket.ts';
import type { OptionValues } from '../command.ts';
import { wholeNumber } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { byteSize, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { parseRange } from './time-range.ts';

export const RANGE_OPTIONS = {
  since: {
    type: 'string',
    value: 'TIME',
    description: 'Traces that began then or later: 2h, 7d or ISO. Default: 24h.',
  },
  until: { type: 'string', value: 'TIME', description: 'Traces that began before then. Default: now.' },
} as const;

export const CACHE_OPTIONS = {
  'cache-folder': {
    type: 'string',
    value: 'PATH',
    description: 'Local copies of objects. Default: spanloom/archive in XDG_CACHE_HOME or ~/.cache.',
  },
  'cache-bytes': { type: 'string', value: 'N', description: 'Limit of all copies together. Default: 2147483648.' },
} as const;

/** The archive of SPANLOOM_PREFIX in S3_BUCKET, as the commands read it. */
export class Archive {
  readonly bucket: Bucket;
  readonly prefix: string;
  /** Of what is archived as OTLP. */
  promoted: PromotedList = PROMOTED_DEFAULT;
  readonly problems: ObjectProblem[] = [];
  private readonly cacheName: string;
  private readonly io: Io;
  private readonly closes: (() => unknown)[];

  private constructor(io: Io, bucket: Bucket, prefix: string, cacheName: string, closes: (() => unknown)[]) {
    this.io = io;
    this.bucket = bucket;
    this.prefix = prefix;
    this.cacheName = cacheName;
    this.closes = closes;
  }

  /** Runs `use` and closes; the exit code is `incomplete` when objects had to be left out. */
  static async with(io: Io, use: (archive: Archive) => Promise<number>): Promise<number> {
    const settings = readSettings(defineSettings({ ...commonSettings, ...s3Settings, ...promotedSettings }), {
      KAFKA_BROKERS: '127.0.0.1:9092',
      ...io.env,
    });
    const closes: (() => unknown)[] = [];
    const bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
    const cacheName = `${settings.S3_ENDPOINT ?? settings.AWS_REGION}~${settings.S3_BUCKET}`.replaceAll(
      /[^\w.~-]+/g,
      '-',
    );
    const archive = new Archive(io, bucket, settings.SPANLOOM_PREFIX, cacheName, closes);
    archive.promoted = canonicalList(settings.ARCHIVE_PROMOTED_ATTRIBUTES);
    try {
      const code = await use(archive);
      return code === EXIT.ok && archive.problems.length > 0 ? EXIT.incomplete : code;
    } finally {
      for (const close of closes) await close();
    }
  }

  /** Names an object that is left out. */
  readonly onProblem = (problem: ObjectProblem): void => {
    this.problems.push(problem);
    this.io.say(`spanloom: skipped ${problem.key}: ${problem.why}`);
  };

  /** @throws UsageError when --cache-bytes is no size. */
  reader(values: OptionValues<typeof CACHE_OPTIONS>): ArchiveReader {
    const folder = values['cache-folder'] ?? path.join(defaultCacheFolder(this.io.env), this.cacheName);
    return new ArchiveReader({
      bucket: this.bucket,
      prefix: this.prefix,
      cacheFolder: path.resolve(folder),
      cacheBytesMax: wholeNumber(values['cache-bytes'] ?? '2147483648', '--cache-bytes', 1_000_000, 2 ** 50),
      promoted: this.promoted,
      onProblem: this.onProblem,
      onFetched: (bytes, objects) => {
        if (!this.io.stderrIsTerminal) return;
        this.io.say(`Copied ${byteSize(bytes)} of ${plural(objects, 'object')} into ${folder}.`);
      },
    });
  }

  /** As `ArchiveReader.sql`; closed with the archive. */
  async sql(
    range: TimeRange,
    values: OptionValues<typeof CACHE_OPTIONS>,
    datasets: readonly Dataset[] = ['spans', 'traces'],
  ): Promise<ArchiveSql> {
    const sql = await this.reader(values).sql(range, datasets);
    this.closes.unshift(() => sql.close());
    return sql;
  }
}

export function rangeOf(values: OptionValues<typeof RANGE_OPTIONS>): TimeRange {
  return parseRange(values.since, values.until, Date.now());
}

function defaultCacheFolder(env: Io['env']): string {
  return path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'spanloom', 'archive');
}
