import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findChromium } from './chromium.ts';

describe('findChromium', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'spanloom-chromium-'));
    await writeFile(path.join(folder, 'chromium'), 'a text');
    await writeFile(path.join(folder, 'google-chrome'), '');
    await chmod(path.join(folder, 'google-chrome'), 0o755);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('takes the first on PATH that can be run, and CHROMIUM_PATH before any', () => {
    expect(findChromium({ PATH: folder })).toBe(path.join(folder, 'google-chrome'));
    expect(findChromium({ PATH: folder, CHROMIUM_PATH: '/opt/chromium' })).toBe('/opt/chromium');
    expect(findChromium({ PATH: path.join(folder, 'nowhere') })).toBeUndefined();
    expect(findChromium({})).toBeUndefined();
  });
});
