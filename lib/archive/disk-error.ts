import { SpanloomError } from '../errors/spanloom-error.ts';

/**
 * @param error what writing a file, or DuckDB, failed with.
 * @param place what is full and what to do, e.g. `the folder /var/cache; free some of it`.
 * @returns ARCHIVE_DISK_FULL when there was no room; else the error as it was.
 */
export function diskError(error: unknown, place: string): unknown {
  if (error instanceof SpanloomError || !isFull(error)) return error;
  return new SpanloomError('ARCHIVE_DISK_FULL', `There is no room for files of the archive: ${place}`, {
    cause: error,
  });
}

function isFull(error: unknown): boolean {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  return NO_ROOM.has(code ?? '') || /No space left on device|Disk quota exceeded|File too large/.test(message);
}

/** The file system, the user's quota, and what the process may write into one file. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
