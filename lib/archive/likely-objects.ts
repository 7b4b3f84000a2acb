import { partitionOfTraceId } from '../kafka/murmur2.ts';
import type { ArchiveObject } from './object-keys.ts';

/**
 * Objects that can hold a trace, by the partition in their names: the partition of a trace follows from its id and from
 * how many there are, which is told by the objects of the same chain. Where the highest partitions were idle that is a
 * wrong guess, so who finds nothing in `likely` looks into `others`.
 *
 * @param traceId 32 hex digits.
 */
export function byPartition<T extends Pick<ArchiveObject, 'key'>>(
  objects: readonly T[],
  traceId: string,
): { likely: T[]; others: T[] } {
  const places = objects.map(({ key }) => PLACE.exec(key));
  const counts = new Map<string, number>();
  for (const place of places) {
    if (place === null) continue;
    const [, chain = '', partition] = place;
    counts.set(chain, Math.max(counts.get(chain) ?? 0, Number(partition) + 1));
  }
  const id = Buffer.from(traceId, 'hex');
  const isLikely = (i: number) => {
    const place = places[i];
    // Compacted objects hold every partition.
    if (place == null) return true;
    return Number(place[2]) === partitionOfTraceId(id, 0, counts.get(place[1] as string) as number);
  };
  return { likely: objects.filter((_, i) => isLikely(i)), others: objects.filter((_, i) => !isLikely(i)) };
}

/** Cluster and generation, which are a chain, and partition. */
const PLACE = /\/([A-Za-z0-9_-]*-\d+)-p(\d{3,})-\d+-\d+\.[a-z.]+$/;
