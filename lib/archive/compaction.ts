import { SpanloomError } from '../errors/spanloom-error.ts';
import { type ArchiveObject, type Dataset, hourPath } from './object-keys.ts';
import type { PromotedList } from './promoted-setting.ts';

/**
 * What one compaction of an hour has merged into what. It is written before its objects, and only where there is none,
 * so of several compactors one decides; see docs/design/archive-compaction.md. Objects of an hour's compactions have no
 * source in common.
 */
export interface Compaction {
  readonly version: 1;
  /** Epoch milliseconds of the hour's start. */
  readonly hourMs: number;
  /** 1, 2, … within the hour. */
  readonly number: number;
  readonly objects: readonly CompactedObject[];
  /** Which attributes have columns of what was archived as OTLP; none where it is the default. */
  readonly promoted?: PromotedList;
  /** Name and version of what wrote it. */
  readonly writer: string;
}

export interface CompactedObject {
  /** Whole key. */
  readonly key: string;
  readonly dataset: Dataset;
  readonly rows: number;
  /** As `RowDigest` has it. */
  readonly rowDigest: string;
  /** Objects whose rows it holds, all of them; whole keys. */
  readonly sources: readonly { readonly key: string; readonly rows: number }[];
}

/** `<prefix>/spans_compacted/v1/` */
export function compactedFolder(prefix: string, dataset: Dataset): string {
  return `${prefix}/${dataset}_compacted/v1/`;
}

/** `<prefix>/spans_compacted/v1/dt=2026-01-31/hour=07/0001-000.parquet` */
export function compactedKey(prefix: string, dataset: Dataset, hourMs: number, number: number, part: number): string {
  return `${compactedFolder(prefix, dataset)}${hourPath(hourMs)}${pad(number, 4)}-${pad(part, 3)}.parquet`;
}

/** Beside the compacted spans; engines pass over names that begin with an underscore. */
export function manifestKey(prefix: string, hourMs: number, number: number): string {
  return `${compactedFolder(prefix, 'spans')}${hourPath(hourMs)}_manifest-${pad(number, 4)}.json`;
}

/** The compaction that a compacted object belongs to; undefined for a key of something else. */
export function parseCompactedKey(
  prefix: string,
  dataset: Dataset,
  key: string,
  bytes: number,
): (ArchiveObject & { readonly compaction: number }) | undefined {
  const match = OBJECT_NAME.exec(relative(prefix, dataset, key));
  const hourMs = match === null ? Number.NaN : hourMsOf(match);
  return Number.isNaN(hourMs) ? undefined : { key, bytes, dataset, hourMs, compaction: Number(match?.[3]) };
}

/** Hour and number of a manifest; undefined for a key of something else. */
export function parseManifestKey(prefix: string, key: string): { hourMs: number; number: number } | undefined {
  const match = MANIFEST_NAME.exec(relative(prefix, 'spans', key));
  const hourMs = match === null ? Number.NaN : hourMsOf(match);
  return Number.isNaN(hourMs) ? undefined : { hourMs, number: Number(match?.[3]) };
}

export function encodeCompaction(compaction: Compaction): Uint8Array {
  return Buffer.from(`${JSON.stringify(compaction, null, 1)}\n`);
}

/** @throws SpanloomError ARCHIVE_MANIFEST_BROKEN when the bytes are no manifest that this version can read. */
export function decodeCompaction(bytes: Uint8Array, key: string): Compaction {
  let read: Partial<Compaction>;
  try {
    read = JSON.parse(Buffer.from(bytes).toString()) as Partial<Compaction>;
  } catch (cause) {
    throw broken(key, 'it is not JSON', cause);
  }
  if (read?.version !== 1) throw broken(key, `its version is ${read?.version}, which this program does not know`);
  const isWhole =
    Number.isSafeInteger(read.hourMs) &&
    Number.isSafeInteger(read.number) &&
    Array.isArray(read.objects) &&
    read.objects.every(
      ({ key: name, rows, sources }) => typeof name === 'string' && rows >= 0 && Array.isArray(sources),
    );
  if (!isWhole) throw broken(key, 'fields are missing');
  return read as Compaction;
}

function broken(key: string, why: string, cause?: unknown): SpanloomError {
  return new SpanloomError('ARCHIVE_MANIFEST_BROKEN', `${key} is no manifest of a compaction: ${why}`, { cause });
}

function relative(prefix: string, dataset: Dataset, key: string): string {
  const folder = compactedFolder(prefix, dataset);
  return key.startsWith(folder) ? key.slice(folder.length) : '';
}

function hourMsOf([, day, hour]: RegExpExecArray): number {
  return Date.parse(`${day}T${hour}:00:00Z`);
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

const OBJECT_NAME = /^dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/(\d{4,})-\d{3,}\.parquet$/;
const MANIFEST_NAME = /^dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/_manifest-(\d{4,})\.json$/;
