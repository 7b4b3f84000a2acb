import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** The file that Redis appends to at this time. */
export async function appendOnlyFile(redisFolder: string): Promise<{ path: string; bytes: number }> {
  const folder = path.join(redisFolder, 'appendonlydir');
  const newest = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof')).at(-1);
  if (newest === undefined) throw new Error(`there is no append-only file in ${folder}`);
  const file = path.join(folder, newest);
  return { path: file, bytes: (await stat(file)).size };
}
