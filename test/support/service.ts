import type { Settings } from '../../lib/config/settings.ts';
import { readSettings } from '../../lib/config/settings.ts';
import { createLogger } from '../../lib/observability/logger.ts';
import { createMetrics, type Metrics } from '../../lib/observability/metrics.ts';
import { Cleanups } from '../../lib/runtime/cleanups.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { testStack } from './stack.ts';

export interface ServiceUnderTest {
  readonly metrics: Metrics;
  /** Lines logged at warn or above. */
  readonly warnings: string[];
  ready(): boolean | string;
  /** Drains and closes everything, as SIGTERM does. */
  stop(): Promise<void>;
}

/** Starts a service inside the test, against the run's stack, with settings given as environment variables. */
export async function startService<S extends Settings>(
  definition: ServiceDefinition<S>,
  env: Readonly<Record<string, string>>,
): Promise<ServiceUnderTest> {
  const warnings: string[] = [];
  const write = (line: string) => warnings.push(line);
  const logger = createLogger({ service: definition.name, level: 'warn', format: 'json', output: { write } });
  const metrics = createMetrics(definition.name);
  const cleanups = new Cleanups(logger);
  const settings = readSettings(definition.settings, { ...stackEnvironment(testStack()), ...env });
  const stopping = new AbortController();
  const running = await definition.start({
    settings,
    logger,
    metrics,
    clock: systemClock,
    stopping: stopping.signal,
    onClose: (close) => cleanups.add(close),
    fail: (error) => write(String(error)),
  });
  return {
    metrics,
    warnings,
    ready: () => running.ready(),
    stop: async () => {
      stopping.abort();
      await running.stop();
      await cleanups.run();
    },
  };
}
