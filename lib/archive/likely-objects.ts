import { partitionOfTraceId } from '../kafka/murmur2.ts';
import type { ArchiveObject } from './object-keys.ts';

/**
 * Objects that can hold a trace, by the partition in their names. Where a name says of how many partitions it is one,
 * that is certain, and the objects of others are in neither list. Else the count is guessed from the objects of the same
 * chain: where the highest partitions were idle that is wrong, so who finds nothing in `likely` looks into `others`.
 *
 * @param traceId 32 hex digits.
 */
export function byPartition<T extends Pick<ArchiveObject, 'key'>>(
  objects: readonly T[],
  traceId: string,
): { likely: T[]; others: T[] } {
  const id = Buffer.from(traceId, 'hex');
  const places = objects.map(({ key }) => PLACE.exec(key)?.groups);
  const counts = new Map<string, number>();
  for (const place of places) {
    if (place === undefined) continue;
    const { chain = '', partition } = place;
    counts.set(chain, Math.max(counts.get(chain) ?? 0, Number(partition) + 1));
  }
  const likely: T[] = [];
  const others: T[] = [];
  for (const [i, object] of objects.entries()) {
    const place = places[i];
    // Compacted objects hold every partition.
    if (place === undefined) likely.push(object);
    else {
      const { chain = '', partition, count } = place;
      const isOwn = partitionOfTraceId(id, 0, Number(count ?? counts.get(chain))) === Number(partition);
      if (isOwn) likely.push(object);
      else if (count === undefined) others.push(object);
    }
  }
  return { likely, others };
}

/** Whether a trace of this id comes to `partition`. @param traceId 32 hex digits. */
export function isOfPartition(traceId: string, partition: number, partitions: number): boolean {
  return partitionOfTraceId(Buffer.from(traceId, 'hex'), 0, partitions) === partition;
}

/** Cluster and generation, which are a chain, and partition. */
const PLACE = /\/(?<chain>[A-Za-z0-9_-]*-\d+)-p(?<partition>\d{3,})(?:of(?<count>\d{3,}))?-\d+-\d+\.[a-z.]+$/;
