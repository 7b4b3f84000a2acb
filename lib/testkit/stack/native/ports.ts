import { createServer } from 'node:net';
import { SpanloomError } from '../../../errors/spanloom-error.ts';

/**
 * A port of 127.0.0.1 that nobody listens on. Taken from below the range from which systems give ports to outgoing
 * connections (32768 on Linux), so that no client can take it between this look and the server's start.
 */
export async function freePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_END - PORT_MIN));
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new SpanloomError('STACK_SERVER_FAILED', `No free port was found between ${PORT_MIN} and ${PORT_END}.`);
}

const PORT_MIN = 20_000;
const PORT_END = 32_000;
const ATTEMPTS_MAX = 200;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
