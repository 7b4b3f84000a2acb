/**
 * A named place where a test may kill this process, as a power failure would: `CRASH_AT=<name>:<nth>` ends it with
 * SIGKILL when `name` is passed for the nth time (from 1; `CRASH_AT=<name>` is the first). Nothing is flushed, no handler runs.
 * `CRASH_AT=<name>:<nth>:SIGSTOP` makes it stand still there instead, until somebody sends SIGCONT: a zombie at a known place.
 * Without the variable it costs one comparison.
 */
export function crashPoint(name: string): void {
  if (target === undefined || target.name !== name) return;
  target.passesLeft--;
  if (target.passesLeft !== 0) return;
  process.kill(process.pid, target.signal);
  // The signal is delivered when the kernel gets to it; not one more instruction of the caller may run before.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, target.signal === 'SIGKILL' ? undefined : STOP_MS);
}

export interface CrashTarget {
  readonly name: string;
  passesLeft: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** What `CRASH_AT` asks for; undefined when unset. Throws when it cannot be read: a fault test must not pass for that. */
export function parseCrashAt(text: string | undefined): CrashTarget | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^([^:]+)(?::([1-9][0-9]*)(?::(SIGKILL|SIGSTOP))?)?$/.exec(text);
  if (match === null)
    throw new Error(`CRASH_AT is '${text}'; it must be <name>, <name>:<nth> or <name>:<nth>:SIGSTOP, with nth from 1`);
  const [, name, nth = '1', signal = 'SIGKILL'] = match;
  return { name: name as string, passesLeft: Number(nth), signal: signal as CrashTarget['signal'] };
}

const target = parseCrashAt(process.env['CRASH_AT']);
/** Longer than the kernel needs to stop the process, and nothing to one that went on again. */
const STOP_MS = 200;
