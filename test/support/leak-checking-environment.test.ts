import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

describe('the environment that looks for leaks', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-leak-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('fails a file that leaves a connection and a timer open, though its tests pass', async () => {
    const { status, stderr } = await runFile(`
      const net = require('node:net');
      const server = net.createServer().unref();
      test('opens', (done) => {
        setInterval(() => {}, 1e6);
        server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1', done));
      });`);
    expect(stderr).toMatch(/This test file left open: .*TCP connection/);
    expect(stderr).toMatch(/left open: .*1 timer/);
    expect(status).toBe(1);
  });

  it('lets a file pass that closes what it opened, also when that takes a moment', async () => {
    const { status } = await runFile(`
      const net = require('node:net');
      const server = net.createServer((socket) => socket.end());
      test('opens and closes', (done) => {
        server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1', done));
      });
      afterAll(() => { setTimeout(() => server.close(), 300); });`);
    expect(status).toBe(0);
  });

  async function runFile(source: string) {
    await writeFile(join(dir, 'fixture.test.js'), source);
    const environment = join(ROOT, 'test/support/leak-checking-environment.js');
    const config = { rootDir: dir, transform: {}, testEnvironment: environment };
    const args = ['--experimental-vm-modules', '--no-warnings', join(ROOT, 'node_modules/jest/bin/jest.js')];
    const options = ['--config', JSON.stringify(config), '--runInBand', '--forceExit'];
    return spawnSync(process.execPath, [...args, ...options], { encoding: 'utf8', cwd: dir });
  }
});
