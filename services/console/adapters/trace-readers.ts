import path from 'node:path';
import { ArchiveReader } from '../../../lib/archive/archive-reader.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import { connectRedis } from '../../../lib/redis/connect.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { openBucket } from '../../../lib/s3/bucket.ts';
import type { ConsoleSettings } from '../config.ts';
import type { TraceReader } from '../ports.ts';
import { archiveSource } from './archive-source.ts';
import { hotReader } from './hot-reader.ts';
import type { HotStore } from './hot-store.ts';
import { liveReader } from './live-reader.ts';

export interface ReaderContext {
  readonly values: ConsoleSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hot: HotStore;
  onClose(close: () => Promise<unknown> | unknown): void;
}

/** Asked for every trace. Redis is connected to when the first one is. */
export function nearReaders({ values, logger, hot, onClose }: ReaderContext): TraceReader[] {
  const live = liveReader({
    prefix: values.SPANLOOM_PREFIX,
    partitions: values.PARTITIONS,
    // It only reads, so what the server may evict is the assembler's worry.
    connect: () => connectRedis({ ...values, REDIS_EVICTION: 'warn' }, { logger, onClose }),
  });
  return [hotReader(hot), live];
}

/** Asked for what the others do not have. */
export function farReaders({ values, clock, logger, onClose }: ReaderContext): TraceReader[] {
  const { S3_BUCKET } = values;
  if (S3_BUCKET === undefined) return [];
  const archive = new ArchiveReader({
    bucket: openBucket({ ...values, S3_BUCKET }, { onClose }),
    prefix: values.SPANLOOM_PREFIX,
    cacheFolder: path.join(values.CONSOLE_DATA_DIR, 'archive'),
    cacheBytesMax: values.CONSOLE_CACHE_BYTES_MAX,
    onProblem: ({ key, why }) => logger.warn('an archive object is left out of an answer', { key, why }),
  });
  const limits = { lookBackMs: values.CONSOLE_ARCHIVE_LOOKBACK_MS, searchMsMax: values.CONSOLE_ARCHIVE_SEARCH_MS_MAX };
  return [archiveSource({ archive, clock, ...limits })];
}
