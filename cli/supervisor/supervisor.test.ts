import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ProcessEvent } from './supervised-process.ts';
import { Supervisor } from './supervisor.ts';

// Six processes one after the other can take seconds on a busy machine; only `waits` is about time.
jest.setTimeout(60_000);

const FAKE_SERVICE = fileURLToPath(new URL('./fake-service.js', import.meta.url));

describe('Supervisor', () => {
  let folder: string;
  let running: Supervisor[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'spanloom-supervisor-'));
    running = [];
  });

  afterEach(async () => {
    await Promise.all(running.map((supervisor) => supervisor.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  function supervise(behaviour: string, count = 1, onEvent: (event: ProcessEvent) => void = () => {}): Supervisor {
    const supervisor = new Supervisor({
      scale: new Map([['alerter', count]]),
      env: { ...process.env, FAKE: behaviour },
      logFolder: folder,
      onEvent,
      specOf: (_service, env) => ({ command: process.execPath, args: [FAKE_SERVICE], env }),
      processes: {
        restartDelayMs: { first: 20, max: 100 },
        drainMsMax: 400,
        readyMsMax: behaviour === 'waits' ? 1_500 : 30_000,
      },
    });
    running.push(supervisor);
    return supervisor;
  }

  it('starts as many as asked, waits until they are ready and names their metrics addresses', async () => {
    const supervisor = supervise('steady', 2);
    await supervisor.start();
    expect(Object.keys(supervisor.metrics())).toEqual(['alerter-1', 'alerter-2']);
    for (const url of Object.values(supervisor.metrics())) {
      expect((await fetch(new URL('/readyz', url))).status).toBe(200);
    }
    expect(readFileSync(path.join(folder, 'alerter-1.log'), 'utf8')).toMatch(/^something else first\n/);
  });

  it('starts a killed service again, at the same addresses', async () => {
    let readyAgain = () => {};
    const again = new Promise<void>((resolve) => {
      readyAgain = resolve;
    });
    const events: ProcessEvent[] = [];
    const supervisor = supervise('steady', 1, (event) => {
      events.push(event);
      if (event.kind === 'ready' && event.restarts === 1) readyAgain();
    });
    await supervisor.start();
    const before = { pid: supervisor.pids()['alerter']!, metrics: supervisor.metrics(), doors: supervisor.collector };
    expect(before.doors?.['otlp']).toMatch(/^http:/);
    process.kill(before.pid, 'SIGKILL');
    await again;
    expect(supervisor.pids()['alerter']).not.toBe(before.pid);
    expect(supervisor.metrics()).toEqual(before.metrics);
    expect(supervisor.collector).toEqual(before.doors);
    expect(events).toContainEqual({ kind: 'exited', name: 'alerter', how: 'signal SIGKILL', restartInMs: 20 });
  });

  it('gives up at once on a service that refuses its settings, and shows what it said', async () => {
    await expect(supervise('refuses').start()).rejects.toThrow(
      /alerter did not start \(exit code 78\)[\s\S]*KAFKA_BROKERS is not a list of addresses/,
    );
  });

  it('gives up on a service that never starts after several attempts', async () => {
    const exits: ProcessEvent[] = [];
    await expect(supervise('crashes', 1, (event) => exits.push(event)).start()).rejects.toThrow(/exit code 70/);
    expect(exits.map((event) => event.kind === 'exited' && event.restartInMs)).toEqual([20, 40, 80, 100]);
  });

  it('gives up on a service that does not become ready, and stops it', async () => {
    await expect(supervise('waits').start()).rejects.toThrow(/alerter did not start \(not ready after 1.5 s\)/);
  });

  it('stops a service by asking, and by killing it when it does not listen', async () => {
    for (const behaviour of ['steady', 'deaf']) {
      const supervisor = supervise(behaviour);
      await supervisor.start();
      const pid = supervisor.pids()['alerter']!;
      await supervisor.stop();
      expect(isAlive(pid)).toBe(false);
    }
  });

  it('leaves no service behind when it is itself killed', async () => {
    const parent = path.join(folder, 'parent.mjs');
    writeFileSync(
      parent,
      `import { Supervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)};
       const supervisor = new Supervisor({
         scale: new Map([['alerter', 1]]), env: process.env, logFolder: ${JSON.stringify(folder)}, onEvent() {},
         specOf: (service, env) => ({ command: process.execPath, args: [${JSON.stringify(FAKE_SERVICE)}], env }),
       });
       await supervisor.start();
       process.stdout.write(String(supervisor.pids().alerter));`,
    );
    const child = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
