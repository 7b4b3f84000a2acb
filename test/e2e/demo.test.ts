import { afterEach, describe, expect, it } from '@jest/globals';
import { Command } from '../support/command.ts';
import { isAlive } from '../support/is-alive.ts';

let demo: Command | undefined;

afterEach(async () => {
  demo?.signal('SIGKILL');
  await demo?.exited;
});

/**
 * Which services to kill while the database is down, one after another, each in a demo of its own. One is enough for
 * every run; `DEMO_KILL=span-router,trace-assembler,graph-builder,alerter,archiver` takes ten minutes.
 */
const killed = (process.env['DEMO_KILL'] ?? 'trace-assembler').split(',');

describe('the demo', () => {
  it.each(killed)(
    'ends well although %s is killed in the middle of the outage',
    async (service) => {
      demo = new Command(['demo', '--once', '--json']);
      await demo.line('stderr', /all services ready/);
      await demo.line('stderr', /FAILS OVER/);
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      const services = demo.services();
      process.kill(services.get(service) as number, 'SIGKILL');
      const code = await demo.exited;
      expect([code, ...demo.stderr.slice(-3)]).toEqual([0, ...demo.stderr.slice(-3)]);
      expect(demo.stderr.join('\n')).toContain(`${service} ended (signal SIGKILL)`);

      const result = JSON.parse(demo.stdout.at(-1) as string);
      expect(result.archive.spans).toBe(result.spansIn);
      expect(result.tracesComplete).toBe(result.tracesOut);
      expect(result.deadLetters).toBe(0);
      expect(result.edges.map((edge: { client: string; server: string }) => `${edge.client} → ${edge.server}`)).toEqual(
        [
          'api-gateway → backend-service',
          'backend-service → cache',
          'backend-service → database',
          'user → api-gateway',
        ],
      );
      expect(result.incidents).toMatchObject([
        { cause: 'database', blastRadius: { services: ['api-gateway', 'backend-service'] } },
      ]);
      expect(result.incidents[0].blastRadius.entryOperations[0]).toMatchObject({ service: 'api-gateway' });
      for (const pid of services.values()) expect(isAlive(pid)).toBe(false);
    },
    200_000,
  );
});
