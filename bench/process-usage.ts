import { readFileSync } from 'node:fs';

/** What a process has used so far, from Linux's /proc. */
export interface ProcessUsage {
  /** User and system time of all its threads, seconds. */
  readonly cpuSeconds: number;
  /** Highest resident memory so far, MiB. */
  readonly rssPeakMb: number;
}

/** @returns `undefined` when the process is gone, or this is not Linux. */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name may hold spaces; the fields after its closing parenthesis are plain. 14 and 15 are utime, stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return { cpuSeconds: ticks / CLOCK_TICKS_PER_SECOND, rssPeakMb: Number(peak?.[1] ?? 0) / 1024 };
  } catch {
    return undefined;
  }
}

/** USER_HZ; 100 on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SECOND = 100;
