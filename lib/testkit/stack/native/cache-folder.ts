import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where downloaded servers are kept: SPANLOOM_CACHE_DIR, else `.cache/` in a checkout, else (an installed package must
 * not write into node_modules) the user's cache folder.
 */
export function cacheFolder(env: NodeJS.ProcessEnv, here = dirname(fileURLToPath(import.meta.url))): string {
  if (env['SPANLOOM_CACHE_DIR']) return resolve(env['SPANLOOM_CACHE_DIR']);
  const root = packageRoot(here);
  if (root !== undefined && !root.split(sep).includes('node_modules')) return join(root, '.cache');
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'spanloom');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'spanloom');
  return join(homedir(), '.cache', 'spanloom');
}

function packageRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'spanloom') return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
