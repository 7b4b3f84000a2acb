import { homedir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { cacheFolder } from './cache-folder.ts';

describe('the folder for downloaded servers', () => {
  it('lies in the checkout', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/home/u/.cache' }, '/src/spanloom')).toBe('/src/spanloom/.cache');
  });

  it('is the user’s when the package is installed below node_modules', () => {
    const root = '/app/node_modules/spanloom';
    expect(cacheFolder({ XDG_CACHE_HOME: '/home/u/.cache' }, root)).toBe('/home/u/.cache/spanloom');
    expect(cacheFolder({}, root).startsWith(homedir())).toBe(true);
  });

  it('is SPANLOOM_CACHE_DIR when that is set', () => {
    expect(cacheFolder({ SPANLOOM_CACHE_DIR: '/var/cache/x' }, '/src/spanloom')).toBe('/var/cache/x');
  });
});
