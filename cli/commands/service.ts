import { existsSync } from 'node:fs';
import { defineCommand, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { SERVICES, type ServiceName } from '../services.ts';
import { stopWithParent } from '../supervisor/stop-with-parent.ts';

export const command = defineCommand({
  name: 'service',
  summary: 'Runs one service in this process, as in production.',
  positionals: 'NAME',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {},
  details: `NAME is one of ${SERVICES.join(', ')}.
Settings come from the environment; docs/config.md lists them. SIGTERM drains within 10 s.`,
  examples: [
    'KAFKA_BROKERS=127.0.0.1:9092 spanloom service span-router',
    'KAFKA_BROKERS=127.0.0.1:9092 REDIS_URL=redis://127.0.0.1:6379 spanloom service trace-assembler',
  ],
  async run(_values, [name], io) {
    const service = SERVICES.find((known) => known === name);
    if (service === undefined) {
      throw new UsageError(`There is no service '${name}'; there are ${SERVICES.join(', ')}.`, 'service');
    }
    if (io.env['SPANLOOM_SUPERVISED'] === '1') stopWithParent();
    const { main } = await loadService(service);
    await main();
    return EXIT.ok;
  },
});

async function loadService(name: ServiceName): Promise<{ main: () => Promise<void> }> {
  // The compiled form of this file has the compiled services beside it.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const url = new URL(`../../services/${name}/main.${ending}`, import.meta.url);
  if (!existsSync(url)) throw new Error(`Service ${name} is missing from this installation`);
  return (await import(url.href)) as { main: () => Promise<void> };
}
