import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { testStack, uniquePrefix } from '../support/stack.ts';

const ROOT = path.join(import.meta.dirname, '../..');
let folder: string;

/** As somebody does who has only npm: packed, installed elsewhere, started by the name of its command. */
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spanloom-package-'));
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_config_loglevel: 'error' },
    });
  const packed = JSON.parse(
    npm(['pack', '--json', '--pack-destination', folder], ROOT)
      .toString()
      .replace(/^[^[{]*/s, ''),
  );
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  npm(['init', '-y'], folder);
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, filename)], folder);
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spanloom = (args: string[], env: Record<string, string> = {}) =>
  execFileSync(path.join(folder, 'node_modules/.bin/spanloom'), args, {
    cwd: folder,
    env: { ...process.env, ...stackEnvironment(testStack()), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();

describe('the installed package', () => {
  it('has the command, with its help', () => {
    expect(spanloom(['--help'])).toContain('spanloom COMMAND');
  });

  it('creates topics and passes its own check', () => {
    const env = { SPANLOOM_PREFIX: uniquePrefix('package') };
    spanloom(['topics', 'create'], env);
    expect(JSON.parse(spanloom(['doctor', '-o', 'json'], env))).toMatchObject({ ok: true });
  });

  it('brings the services', () => {
    expect(() => spanloom(['service', 'archiver'], { PARTITIONS: 'x' })).toThrow(
      expect.objectContaining({ status: 78 }) as unknown as Error,
    );
  });
});
