/** An object of the archive as its key tells it: `<prefix>/spans/v1/dt=2026-01-31/hour=07/<cluster>-1-p007-0-512.parquet`. */
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

/** `<prefix>/spans/v1/` */
export function datasetFolder(prefix: string, dataset: Dataset): string {
  return `${prefix}/${dataset}/v1/`;
}

/** The folder of an hour; keys sort in the order of hours. */
export function hourFolder(prefix: string, dataset: Dataset, hourMs: number): string {
  return `${datasetFolder(prefix, dataset)}${hourPath(hourMs)}`;
}

/** @returns undefined for a key that no archiver writes. */
export function parseObjectKey(
  prefix: string,
  dataset: Dataset,
  key: string,
  bytes: number,
): ArchiveObject | undefined {
  const folder = datasetFolder(prefix, dataset);
  if (!key.startsWith(folder)) return undefined;
  const match = NAME.exec(key.slice(folder.length));
  if (match === null) return undefined;
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
const NAME = /^dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/[A-Za-z0-9_-]*-\d+-p\d{3,}-\d+-\d+\.parquet$/;
