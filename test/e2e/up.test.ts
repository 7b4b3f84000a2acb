import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Command, runCommand } from '../support/command.ts';
import { isAlive } from '../support/is-alive.ts';
import { uniquePrefix } from '../support/stack.ts';
import { waitForRecords } from '../support/topic.ts';

const ROOT = path.join(import.meta.dirname, '../..');
let up: Command | undefined;

afterEach(async () => {
  up?.signal('SIGKILL');
  await up?.exited;
});

const lines = (text: readonly string[]) => text.map((line) => JSON.parse(line));

describe('up, produce and tail', () => {
  it('take a first trace from a file through the pipeline, and leave nothing running', async () => {
    const env = { SPANLOOM_PREFIX: uniquePrefix('up'), TRACE_IDLE_TIMEOUT_MS: '500' };
    const topic = `${env.SPANLOOM_PREFIX}-otlp`;
    up = new Command(
      [
        'up',
        '--only',
        'span-router,trace-assembler,graph-builder',
        '--scale',
        'trace-assembler=2',
        '--topic',
        topic,
        '--partitions',
        '2',
      ],
      env,
    );
    const ready = JSON.parse(await up.line('stdout', /"ready":true/));
    expect(Object.keys(ready.metrics)).toEqual([
      'span-router',
      'trace-assembler-1',
      'trace-assembler-2',
      'graph-builder',
    ]);
    expect(ready.s3).toMatchObject({
      bucket: expect.any(String),
      accessKeyId: expect.any(String),
      region: expect.any(String),
    });
    for (const url of Object.values(ready.metrics as Record<string, string>)) {
      expect((await fetch(url)).status).toBe(200);
    }

    const file = path.join(ROOT, 'examples/first-trace.json');
    const sent = await runCommand(['produce', file, '--topic', topic, '--bootstrap', ready.kafka], env);
    expect(sent.code).toBe(0);
    const tail = (name: string) =>
      runCommand(['tail', name, '-o', 'json', '--from-beginning', '--exit-at-end', '--bootstrap', ready.kafka], env);
    const traces = await waitForRecords(
      async () => lines((await tail('traces')).stdout),
      (found) => found.length > 0,
    );
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ rootService: 'web-shop', complete: true });
    const spans = traces[0].resourceSpans.flatMap((resource: { scopeSpans: { spans: unknown[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans),
    );
    expect(spans).toHaveLength(traces[0].spanCount);
    const edges = await waitForRecords(
      async () => lines((await tail('service-edges')).stdout),
      (found) => found.length > 0,
    );
    expect(edges.some(({ subject, client }) => subject === 'edge' && client === 'web-shop')).toBe(true);

    const pids = Object.values(ready.pids as Record<string, number>);
    up.signal('SIGINT');
    expect(await up.exited).toBe(0);
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
  }, 120_000);

  it('leave no service behind when they are killed themselves', async () => {
    const env = { SPANLOOM_PREFIX: uniquePrefix('orphans') };
    up = new Command(['up', '--only', 'span-router', '--topic', `${env.SPANLOOM_PREFIX}-otlp`], env);
    const { pids } = JSON.parse(await up.line('stdout', /"ready":true/)) as { pids: Record<string, number> };
    up.signal('SIGKILL');
    await up.exited;
    await waitForRecords(
      async () => Object.values(pids).filter(isAlive),
      (alive) => alive.length === 0,
      15_000,
    );
  });

  it('say in one sentence what is wrong', async () => {
    const wrong = await runCommand(['service', 'span-router'], { PARTITIONS: 'many', KAFKA_TLS_CERT: 'x' });
    expect(wrong.code).toBe(78);
    expect(wrong.stderr.filter((line) => line.includes('PARTITIONS'))).toHaveLength(1);
    expect(wrong.stderr.join('\n')).toContain('KAFKA_TLS_CERT');
    const unreachable = await runCommand(['tail', 'traces', '--bootstrap', '127.0.0.1:1', '--exit-at-end']);
    expect(unreachable.code).toBe(1);
    expect(unreachable.stderr.join('\n')).toMatch(/Kafka cannot be reached/);
  });

  it('doctor finds everything well, and says what is not', async () => {
    const env = { SPANLOOM_PREFIX: uniquePrefix('doctor') };
    expect((await runCommand(['topics', 'create'], env)).code).toBe(0);
    const well = await runCommand(['doctor', '-o', 'json'], env);
    expect(JSON.parse(well.stdout.at(-1) as string)).toMatchObject({ ok: true });
    expect(well.code).toBe(0);
    const ill = await runCommand(['doctor', '-o', 'json'], {
      ...env,
      REDIS_URL: 'redis://127.0.0.1:1',
      PARTITIONS: '3',
    });
    expect(ill.code).toBe(1);
    const checks = JSON.parse(ill.stdout.at(-1) as string).checks as { name: string; ok: boolean }[];
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['topics', 'redis']);
  });
});
