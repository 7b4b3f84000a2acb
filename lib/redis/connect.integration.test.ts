import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testStack } from '../../test/support/stack.ts';
import { redisSettings } from '../config/redis.ts';
import { defineSettings, readSettings } from '../config/settings.ts';
import { createLogger } from '../observability/logger.ts';
import { connectRedis } from './connect.ts';

const declared = defineSettings(redisSettings);
const closes: (() => unknown)[] = [];
const logger = createLogger({ service: 'test', level: 'error', format: 'json', output: { write: () => true } });
const context = { logger, onClose: (close: () => unknown) => closes.push(close) };

afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

const connect = (env: Record<string, string>) =>
  connectRedis(readSettings(declared, { REDIS_URL: testStack().redis, ...env }), context);

describe('connectRedis', () => {
  it('gives a connection that is up', async () => {
    const redis = await connect({});
    expect(await redis.ping()).toBe('PONG');
  });

  it('says that nobody answers, so that the start is tried again', async () => {
    const port = await freePort();
    await expect(connect({ REDIS_URL: `redis://user:hidden@127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      retryable: true,
      message: `Redis at 127.0.0.1:${port} does not answer`,
    });
  });

  it('says that a server which never answers does not', async () => {
    const port = await listen(createServer());
    const timeouts = { REDIS_CONNECT_TIMEOUT_MS: '200', REDIS_COMMAND_TIMEOUT_MS: '200' };
    await expect(connect({ REDIS_URL: `redis://127.0.0.1:${port}`, ...timeouts })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    });
  });

  it('names the settings when the login is refused, and does not try again', async () => {
    const refused = connect({ REDIS_USERNAME: 'nobody', REDIS_PASSWORD: 'wrong' });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID', retryable: false });
    await expect(refused).rejects.toThrow(/REDIS_PASSWORD/);
  });

  it.each(['maxmemory-policy is allkeys-lru', 'noeviction'])('looks at what is evicted: %s', async (wanted) => {
    const port = await listen(fakeServer(wanted.includes('lru') ? 'allkeys-lru' : 'noeviction'));
    const connecting = connect({ REDIS_URL: `redis://127.0.0.1:${port}` });
    if (wanted === 'noeviction') await connecting;
    else await expect(connecting).rejects.toThrow(wanted);
  });

  it('fails a command while the server is gone instead of keeping it for later', async () => {
    const server = fakeServer('noeviction');
    const port = await listen(server);
    const redis = await connect({ REDIS_URL: `redis://127.0.0.1:${port}` });
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    await expect(redis.set('a', '1').then(() => redis.get('a'))).rejects.toThrow();
  });
});

/** Speaks as much of the protocol as a start needs: a server that evicts cannot be had from the run's own one. */
function fakeServer(policy: string): Server {
  return createServer((socket) => {
    socket.on('data', (data) => {
      for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const info = `loading:0\r\nmaxmemory:1000\r\nmaxmemory_policy:${policy}\r\n`;
        socket.write(command?.toLowerCase() === 'info' ? `$${info.length}\r\n${info}\r\n` : '+PONG\r\n');
      }
    });
  });
}

const sockets: Socket[] = [];

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes.push(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
