import { execFileSync } from 'node:child_process';

/**
 * To a process of ours, the disk is full from now on: whatever makes a file longer fails. It is a limit on the size of its
 * files (EFBIG in place of ENOSPC), which needs no rights and no file system of its own. A process that does not ignore
 * SIGXFSZ dies of it; Java does ignore it.
 *
 * @returns what gives the space back.
 */
export function fillDisk(pid: number): () => void {
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${soft}:`]);
  limit('0');
  return () => limit('unlimited');
}
