import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheFolder } from './cache-folder.ts';

describe('the folder for downloaded servers', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-cache-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('lies in the checkout, whether sources or compiled files run', async () => {
    const root = await packageAt(join(dir, 'checkout'));
    expect(cacheFolder({}, join(root, 'lib/testkit/stack/native'))).toBe(join(root, '.cache'));
    expect(cacheFolder({}, join(root, 'dist/lib/testkit/stack/native'))).toBe(join(root, '.cache'));
  });

  it('is the user’s when the package is installed below node_modules', async () => {
    const root = await packageAt(join(dir, 'app/node_modules/spanloom'));
    expect(cacheFolder({ XDG_CACHE_HOME: '/home/u/.cache' }, root)).toBe('/home/u/.cache/spanloom');
    expect(cacheFolder({}, root).startsWith(homedir())).toBe(true);
  });

  it('is SPANLOOM_CACHE_DIR when that is set', () => {
    expect(cacheFolder({ SPANLOOM_CACHE_DIR: '/var/cache/x' })).toBe('/var/cache/x');
  });
});

async function packageAt(root: string): Promise<string> {
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'package.json'), '{"name":"spanloom"}');
  return root;
}
