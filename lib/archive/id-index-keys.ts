import { type ArchiveObject, HOUR_MS, hourPath } from './object-keys.ts';

/*
 * Keys of the indexes of trace ids: `<prefix>/traces_ids/v1/dt=2026-01-31/<source>-<position>.ids`. They are made from
 * the objects in traces/ and traces_compacted/, and may be overwritten or deleted at any time: what no index knows is
 * asked itself.
 */

/** Where an object of traces stands among those that have indexes in common. */
export interface IndexPlace {
  /** `<cluster>-<generation>-p007`, or `compacted`. */
  readonly source: string;
  /** Rises within a source: the first offset of its range, or the hour in epoch milliseconds. */
  readonly position: number;
  /** `dt=2026-01-31/` */
  readonly day: string;
}

/** @returns undefined for objects that no index is kept of. */
export function indexPlace({ key, hourMs }: Pick<ArchiveObject, 'key' | 'hourMs'>): IndexPlace | undefined {
  const day = dayPath(hourMs);
  const written = WRITTEN.exec(key)?.groups;
  if (written !== undefined) return { source: written['source'] as string, position: Number(written['first']), day };
  return key.includes('/traces_compacted/v1/') ? { source: COMPACTED, position: hourMs, day } : undefined;
}

export function idIndexFolder(prefix: string): string {
  return `${prefix}/traces_ids/v1/`;
}

export function idIndexKey(prefix: string, { source, position, day }: IndexPlace): string {
  return `${idIndexFolder(prefix)}${day}${source}-${String(position).padStart(POSITION_DIGITS, '0')}.ids`;
}

/** @returns undefined for a key of something else. */
export function parseIdIndexKey(prefix: string, key: string): IndexPlace | undefined {
  const folder = idIndexFolder(prefix);
  const match = key.startsWith(folder) ? INDEX.exec(key.slice(folder.length))?.groups : undefined;
  if (match === undefined) return undefined;
  return { source: match['source'] as string, position: Number(match['position']), day: match['day'] as string };
}

/** What an index calls an object: its key below the prefix. */
export function indexedName(prefix: string, key: string): string {
  return key.slice(prefix.length + 1);
}

/** `dt=2026-01-31/` */
export function dayPath(ms: number): string {
  return hourPath(Math.floor(ms / HOUR_MS) * HOUR_MS).slice(0, 'dt=2026-01-31/'.length);
}

const COMPACTED = 'compacted';
const POSITION_DIGITS = 20;
const WRITTEN = /\/traces\/v1\/.*\/(?<source>[A-Za-z0-9_-]*-\d+-p\d{3,})(?:of\d{3,})?-(?<first>\d+)-\d+\.parquet$/;
const INDEX = /^(?<day>dt=\d{4}-\d\d-\d\d\/)(?<source>[A-Za-z0-9_-]+)-(?<position>\d{20})\.ids$/;
