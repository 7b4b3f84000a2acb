import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BuiltPage, buildPage } from './build-page.ts';

const GZIPPED_BYTES_MAX = 120 * 1024;

describe("the console's page", () => {
  let folder = '';
  let built: BuiltPage;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'spanloom-page-'));
    built = await buildPage(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is at most 120 KB, gzipped, in all', () => {
    expect(built.gzippedBytes).toBeLessThanOrEqual(GZIPPED_BYTES_MAX);
    expect(built.files.length).toBeGreaterThan(4);
  });

  it('loads nothing from elsewhere, and nothing inline', async () => {
    const html = await readFile(path.join(folder, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
    for (const link of links) expect((await readFile(path.join(folder, link))).length).toBeGreaterThan(0);
    for (const file of await readdir(path.join(folder, 'assets'))) {
      const text = await readFile(path.join(folder, 'assets', file), 'utf8');
      expect([file, text.match(/(?:from|import\(|url\(|fetch\()\s*["']?https?:/)]).toEqual([file, null]);
    }
  });

  it('names its assets by their content, so that they can be cached for ever', () => {
    const names = built.files.map(({ name }) => name).filter((name) => name.startsWith('assets/'));
    for (const name of names) expect(name).toMatch(/-[A-Z0-9]{8}\.(js|css)$/);
  });
});
