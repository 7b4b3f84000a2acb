/**
 * An object of the archive as its key tells it: `<prefix>/spans/v1/dt=2026-01-31/hour=07/<cluster>-1-p007of012-0-512.parquet`.
 * `of012` says that of twelve partitions each of its trace ids belongs to 7; without it nothing is said.
 */
export interface ArchiveObject {
  readonly key: string;
  readonly bytes: number;
  readonly dataset: Dataset;
  /** Start of the hour in which its traces begin, epoch milliseconds. */
  readonly hourMs: number;
}

export const DATASETS = ['spans', 'traces'] as const;
export type Dataset = (typeof DATASETS)[number];

/** Hours [since, until), epoch milliseconds; an hour counts when any of it lies inside. */
export interface TimeRange {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What spans are written as; traces are always Parquet, which is what finds them. */
export const ARCHIVE_FORMATS = ['parquet', 'otlp'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

/** `<prefix>/spans/v1/`; of OTLP, which a glob for Parquet must not meet, `<prefix>/spans_otlp/v1/` */
export function datasetFolder(prefix: string, dataset: Dataset, format: ArchiveFormat = 'parquet'): string {
  return `${prefix}/${dataset}${dataset === 'spans' && format === 'otlp' ? '_otlp' : ''}/v1/`;
}

/** Folders that an archiver writes a dataset to. */
export function datasetFolders(prefix: string, dataset: Dataset): string[] {
  const formats: readonly ArchiveFormat[] = dataset === 'spans' ? ARCHIVE_FORMATS : ['parquet'];
  return formats.map((format) => datasetFolder(prefix, dataset, format));
}

export function isOtlpKey(key: string): boolean {
  return key.endsWith(OTLP_SUFFIX);
}

/** @returns undefined for a key that no archiver writes. */
export function parseObjectKey(
  prefix: string,
  dataset: Dataset,
  key: string,
  bytes: number,
): ArchiveObject | undefined {
  const folder = datasetFolders(prefix, dataset).find((each) => key.startsWith(each));
  if (folder === undefined) return undefined;
  const match = NAME.exec(key.slice(folder.length));
  if (match === null || isOtlpKey(key) !== (folder === datasetFolder(prefix, 'spans', 'otlp'))) return undefined;
  const hourMs = Date.parse(`${match[1]}T${match[2]}:00:00Z`);
  return Number.isNaN(hourMs) ? undefined : { key, bytes, dataset, hourMs };
}

/** What S3Proxy lists while a put is under way, or after one was killed: the key with a UUID behind it. */
export function isPutUnderWay(key: string): boolean {
  return /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key);
}

/** `dt=2026-01-31/hour=07/` */
export function hourPath(hourMs: number): string {
  const iso = new Date(hourMs).toISOString();
  return `dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/`;
}

export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

export const HOUR_MS = 3_600_000;
const NAME =
  /^dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/[A-Za-z0-9_-]*-\d+-p\d{3,}(?:of\d{3,})?-\d+-\d+\.(parquet|otlp\.zst)$/;
const OTLP_SUFFIX = '.otlp.zst';
