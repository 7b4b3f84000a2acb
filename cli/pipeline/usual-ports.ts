import { createServer } from 'node:net';

/**
 * Settings for ports that people know by heart: where no other port is asked for a service takes its usual one, or a
 * free one when somebody else has that.
 */
export async function usualPorts(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string | undefined>> {
  const chosen = Object.entries(USUAL_PORTS).map(async ([setting, port]) => [
    setting,
    env[setting] ?? ((await isFree(port)) ? undefined : '0'),
  ]);
  return Object.fromEntries(await Promise.all(chosen));
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The defaults of these settings. */
const USUAL_PORTS = {
  CONSOLE_PORT: 16_686,
  COLLECTOR_HTTP_PORT: 4318,
  COLLECTOR_GRPC_PORT: 4317,
  COLLECTOR_ZIPKIN_PORT: 9411,
  COLLECTOR_JAEGER_PORT: 14_268,
} as const;
