import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TcpProxy } from './tcp-proxy.ts';

let upstream: Server;
let seen: string;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  seen = '';
  upstream = await echo((text) => {
    seen += text;
  });
  proxy = await TcpProxy.open(endpointOf(upstream));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  upstream.close();
});

describe('a TCP fault proxy', () => {
  it('passes bytes both ways, and the end of one side without ending the other', async () => {
    const client = await open();
    client.end('hello');
    expect(await textOf(client)).toEqual({ text: 'hello', error: undefined });
    expect(proxy).toMatchObject({ connectionsTotal: 1, cutTotal: 0 });
  });

  it('passes more than its buffers hold', async () => {
    const client = await open();
    const text = 'x'.repeat(5_000_000);
    client.end(text);
    expect((await textOf(client)).text).toHaveLength(text.length);
  });

  it('resets every connection and takes new ones', async () => {
    const client = await open();
    await answered(client, 'a');
    expect(proxy.cutAll()).toBe(1);
    expect((await textOf(client)).error).toBe('ECONNRESET');
    expect(proxy).toMatchObject({ open: 0, cutTotal: 1 });
    await answered(await open(), 'b');
  });

  it('refuses until it accepts again', async () => {
    proxy.refuse();
    const refused = connect({ host: '127.0.0.1', port: proxy.port });
    expect((await textOf(refused)).error).toBe('ECONNRESET');
    proxy.accept();
    await answered(await open(), 'b');
    expect(seen).toBe('b');
  });

  it('holds all bytes while it is stalled, with connections up, and loses none', async () => {
    const client = await open();
    await answered(client, 'a');
    proxy.stall();
    const late = answered(client, 'b');
    const other = await open();
    const first = await Promise.race([late, new Promise((resolve) => setTimeout(() => resolve('nothing'), 150))]);
    expect({ first, seen, open: proxy.open, alive: !other.destroyed }).toEqual({
      first: 'nothing',
      seen: 'a',
      open: 2,
      alive: true,
    });
    proxy.resume();
    expect(await late).toBe('b');
  });

  it('delays each chunk, both ways', async () => {
    const client = await open();
    proxy.latencyMs = 100;
    const begin = performance.now();
    await answered(client, 'a');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(195);
  });

  it('passes so many bytes per second', async () => {
    const client = await open();
    proxy.bytesPerSecond = 10_000;
    const begin = performance.now();
    await answered(client, 'x'.repeat(1_000));
    expect(performance.now() - begin).toBeGreaterThanOrEqual(195);
  });

  it('resets at the nth byte, once', async () => {
    proxy.cutAfterBytes(3);
    const client = await open();
    client.write('abcdef');
    expect((await textOf(client)).error).toBe('ECONNRESET');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect('abc'.startsWith(seen)).toBe(true);
    await answered(await open(), 'gh');
  });

  it('leads new connections to another server', async () => {
    let other = '';
    const server = await echo((text) => {
      other += text;
    });
    const old = await open();
    await answered(old, 'a');
    proxy.pointTo(endpointOf(server));
    expect((await textOf(old)).error).toBe('ECONNRESET');
    await answered(await open(), 'b');
    expect({ seen, other }).toEqual({ seen: 'a', other: 'b' });
    server.close();
  });

  it('resets the client when nobody listens behind it', async () => {
    upstream.close();
    await once(upstream, 'close');
    expect((await textOf(connect({ host: '127.0.0.1', port: proxy.port }))).error).toBe('ECONNRESET');
    expect(proxy).toMatchObject({ open: 0, cutTotal: 0 });
  });
});

async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function answered(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let answer = '';
  while (answer.length < text.length) answer += String((await once(socket, 'data'))[0]);
  expect(answer).toBe(text);
  return answer;
}

function textOf(socket: Socket): Promise<{ text: string; error: string | undefined }> {
  return new Promise((resolve) => {
    let text = '';
    let error: string | undefined;
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      error = cause.code;
    });
    socket.on('close', () => resolve({ text, error }));
  });
}

async function echo(onText: (text: string) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => onText(String(chunk)));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const endpointOf = (server: Server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
