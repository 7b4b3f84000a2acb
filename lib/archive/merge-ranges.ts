/** Reads bytes [start, end) of one object. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;

/**
 * Fewer and larger requests: ranges that are asked for in one turn of the event loop and lie close together are read as
 * one. A trace is a page of each of 45 columns, next to one another.
 */
export function mergeRanges(read: ReadRange): ReadRange {
  let waiting: Wanted[] = [];
  const flush = () => {
    const all = waiting.sort((a, b) => a.start - b.start);
    waiting = [];
    for (const group of groupsOf(all)) {
      const start = group[0]?.start as number;
      const end = Math.max(...group.map((wanted) => wanted.end));
      read(start, end).then(
        (bytes) => {
          for (const wanted of group) wanted.resolve(bytes.subarray(wanted.start - start, wanted.end - start));
        },
        (error: unknown) => {
          for (const wanted of group) wanted.reject(error);
        },
      );
    }
  };
  return (start, end) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ start, end, resolve, reject });
    });
}

interface Wanted {
  readonly start: number;
  readonly end: number;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

/** @param all in the order of their starts. */
function groupsOf(all: readonly Wanted[]): Wanted[][] {
  const groups: Wanted[][] = [];
  let start = 0;
  let end = 0;
  for (const wanted of all) {
    const isNear = wanted.start - end <= GAP_BYTES_MAX && wanted.end - start <= REQUEST_BYTES_MAX;
    if (groups.length > 0 && isNear) (groups.at(-1) as Wanted[]).push(wanted);
    else {
      groups.push([wanted]);
      start = wanted.start;
      end = wanted.end;
    }
    end = Math.max(end, wanted.end);
  }
  return groups;
}

/** A request costs about as much time as so many bytes. */
const GAP_BYTES_MAX = 32 * 1024;
const REQUEST_BYTES_MAX = 256 * 1024;
