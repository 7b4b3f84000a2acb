import { readFileSync } from 'node:fs';

/** Whether a process runs. One that has died but that nobody has collected yet does not count (Linux shows it). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // The state stands behind the name, which is in brackets and may hold blanks.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
