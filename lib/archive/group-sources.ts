import type { ArchiveObject } from './object-keys.ts';

/**
 * Which objects are merged into one: neighbours by key, until they have `bytesTarget` together. What is left over and
 * smaller than `bytesMin` goes to the last group, so only a small hour makes a small object.
 */
export function groupSources<T extends Pick<ArchiveObject, 'key' | 'bytes'>>(
  objects: readonly T[],
  { bytesTarget, bytesMin }: GroupLimits,
): T[][] {
  const groups: T[][] = [];
  let open: T[] = [];
  let bytes = 0;
  for (const object of [...objects].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    open.push(object);
    bytes += object.bytes;
    if (bytes < bytesTarget) continue;
    groups.push(open);
    open = [];
    bytes = 0;
  }
  const last = groups.at(-1);
  if (last !== undefined && bytes < bytesMin) last.push(...open);
  else if (open.length > 0) groups.push(open);
  return groups;
}

export interface GroupLimits {
  readonly bytesTarget: number;
  readonly bytesMin: number;
}

/** An object of 32 MiB or more is read well by every engine; one of a few hundred would be slow to make again. */
export const GROUP_LIMITS: GroupLimits = { bytesTarget: 64 * 1024 * 1024, bytesMin: 32 * 1024 * 1024 };
