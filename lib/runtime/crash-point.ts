/**
 * A named place where a test may kill this process, as a power failure would: `CRASH_AT=<name>:<nth>` ends it with
 * SIGKILL when `name` is passed for the nth time (from 1; `CRASH_AT=<name>` is the first). Nothing is flushed, no handler runs. Without the
 * variable it costs one comparison.
 */
export function crashPoint(name: string): void {
  if (target === undefined || target.name !== name) return;
  target.passesLeft--;
  if (target.passesLeft > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered when the kernel gets to it; not one more instruction of the caller may run before.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** What `CRASH_AT` asks for; undefined when unset. Throws when it cannot be read: a fault test must not pass for that. */
export function parseCrashAt(text: string | undefined): { name: string; passesLeft: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^([^:]+)(?::([1-9][0-9]*))?$/.exec(text);
  if (match === null) throw new Error(`CRASH_AT is '${text}'; it must be <name> or <name>:<nth>, with nth from 1`);
  return { name: match[1] as string, passesLeft: Number(match[2] ?? '1') };
}

const target = parseCrashAt(process.env['CRASH_AT']);
