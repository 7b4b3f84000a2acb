import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { packageRoot } from '../package-root.ts';

/**
 * Where downloaded servers are kept: SPANLOOM_CACHE_DIR, else `.cache/` in a checkout, else (an installed package must
 * not write into node_modules) the user's cache folder.
 */
export function cacheFolder(env: NodeJS.ProcessEnv, root = packageRoot()): string {
  if (env['SPANLOOM_CACHE_DIR']) return resolve(env['SPANLOOM_CACHE_DIR']);
  if (!root.split(sep).includes('node_modules')) return join(root, '.cache');
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'spanloom');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'spanloom');
  return join(homedir(), '.cache', 'spanloom');
}
