import type { ChainEntry, ChainObject } from '../../../lib/archive/chain.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { PartitionLog } from '../../../lib/kafka/types.ts';
import { type BuiltRange, buildRange, type RangePlace } from '../core/build-range.ts';
import { OpenRange } from '../core/range.ts';
import type { ArchivePorts } from '../ports.ts';

/**
 * The objects of an entry from records that are held; undefined when these are not the ones that it was made of. The
 * digests decide that: offsets alone would take the records of a topic that was made anew for those of the one before.
 */
export function remake(
  entry: ChainEntry,
  held: OpenRange,
  place: RangePlace,
  ports: ArchivePorts,
): BuiltRange | undefined {
  if (entry.first !== held.first || entry.end > held.end) return undefined;
  const range = entry.end === held.end ? held : held.upTo(entry.end);
  if (range.records.length === 0) return undefined;
  const built = buildRange(range, place, ports);
  return haveSameRecords(built.entry, entry) ? { ...built, entry } : undefined;
}

/**
 * What the log holds where the entry's records were; undefined when it no longer holds the first of them.
 * @throws SpanloomError TRACES_UNREADABLE, retryable; KAFKA_OFFSET_GONE when the log ends before the entry does.
 */
export async function readAgain(
  entry: ChainEntry,
  traces: PartitionLog,
  maxBytes: number,
): Promise<OpenRange | undefined> {
  const range = new OpenRange(entry.first, entry.gapBefore);
  if ((await traces.bounds()).start > entry.firstRecord.offset) return undefined;
  range.end = entry.firstRecord.offset;
  while (range.end < entry.end) {
    const before = range.end;
    const fetched = await traces.fetch({ offset: range.end, maxBytes, maxWaitMs: FETCH_WAIT_MS });
    const wanted = fetched.records.filter(({ offset }) => offset < entry.end);
    range.add(wanted, Math.min(fetched.nextOffset, entry.end), 0);
    if (range.end <= before) throw unreadable(entry, before);
  }
  return range;
}

function haveSameRecords({ objects }: ChainEntry, { objects: named }: ChainEntry): boolean {
  const isNamed = ({ key, digest }: ChainObject) => named.some((one) => one.key === key && one.digest === digest);
  return objects.length === named.length && objects.every(isNamed);
}

function unreadable({ topic, partition }: ChainEntry, offset: number): SpanloomError {
  const sentence = `Partition ${partition} of ${topic} cannot be read past offset ${offset}`;
  return new SpanloomError('TRACES_UNREADABLE', sentence, { retryable: true });
}

const FETCH_WAIT_MS = 500;
