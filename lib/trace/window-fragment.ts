/**
 * What a window holds of one trace from one input record:
 *
 *   fragment = run …
 *   run      = context id (uint32 LE) │ byte length (uint32 LE) │ spans as fields of a ScopeSpans, tag and length included
 *
 * Runs can be copied into an encoded request as they are.
 */
export const RUN_HEADER_BYTES = 8;

/** A list of runs as parallel arrays, filled again for every trace. */
export class RunList {
  count = 0;
  readonly context: number[] = [];
  readonly bytes: Buffer[] = [];
  readonly start: number[] = [];
  readonly end: number[] = [];

  clear(): void {
    this.count = 0;
    // Old buffers would stay alive through the list.
    this.bytes.length = 0;
  }

  add(context: number, bytes: Buffer, start: number, end: number): void {
    const i = this.count++;
    this.context[i] = context;
    this.bytes[i] = bytes;
    this.start[i] = start;
    this.end[i] = end;
  }
}

/**
 * Appends the runs of a fragment to `runs`.
 * @returns false when the fragment is not whole: the store gave back something else than was put in.
 */
export function readFragment(fragment: Buffer, runs: RunList): boolean {
  let at = 0;
  while (at < fragment.length) {
    if (at + RUN_HEADER_BYTES > fragment.length) return false;
    const context = fragment.readUInt32LE(at);
    const start = at + RUN_HEADER_BYTES;
    const end = start + fragment.readUInt32LE(at + 4);
    if (end > fragment.length) return false;
    runs.add(context, fragment, start, end);
    at = end;
  }
  return true;
}
