import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KafkaFrames } from './kafka-frames.ts';
import { API_KEYS, type KafkaFault, KafkaProxy } from './kafka-proxy.ts';

/** A broker that answers each request with what it was asked, and with its own address where those are asked for. */
let broker: Server;
let received: Buffer[];
let receivedBytes: number;
let proxy: KafkaProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  received = [];
  receivedBytes = 0;
  broker = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    const frames = new KafkaFrames();
    socket.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      for (const request of frames.add(chunk)) {
        received.push(request);
        socket.write(frame(request.subarray(8, 12), addressesOf('127.0.0.1', portOf(broker)), Buffer.from('end')));
      }
    });
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  proxy = await KafkaProxy.open({ host: '127.0.0.1', port: portOf(broker) });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  broker.close();
});

describe('a Kafka fault proxy', () => {
  it('puts its own address into metadata and coordinators, and leaves all other answers alone', async () => {
    const ours = addressesOf('127.0.0.1', proxy.tcp.port);
    const theirs = addressesOf('127.0.0.1', portOf(broker));
    for (const api of ['Metadata', 'FindCoordinator', 'Produce'] as const) {
      const { answer } = await ask(api);
      expect(answer?.subarray(8)).toEqual(Buffer.concat([api === 'Produce' ? theirs : ours, Buffer.from('end')]));
    }
  });

  it.each<[KafkaFault, { asked: boolean; answered: boolean; bytes: 'none' | 'half' | 'all' }]>([
    ['cut-before', { asked: false, answered: false, bytes: 'none' }],
    ['cut-inside', { asked: false, answered: false, bytes: 'half' }],
    ['lose-answer', { asked: true, answered: false, bytes: 'all' }],
    ['swallow', { asked: false, answered: false, bytes: 'none' }],
    [{ delayMs: 60 }, { asked: true, answered: true, bytes: 'all' }],
  ])('%j hits the request it is armed for, and only so often', async (fault, expected) => {
    const rule = proxy.arm({ api: 'EndTxn', fault, times: 1 });
    expect((await ask('Produce')).answer).toBeDefined();
    const before = { requests: received.length, bytes: receivedBytes };
    const { answer, isCut, ms, sentBytes } = await ask('EndTxn');
    expect(rule.hits).toBe(1);
    expect(received.length - before.requests).toBe(expected.asked ? 1 : 0);
    expect(answer !== undefined).toBe(expected.answered);
    expect(isCut).toBe(fault !== 'swallow' && !expected.answered);
    const part = { none: 0, half: sentBytes >> 1, all: sentBytes }[expected.bytes];
    expect(receivedBytes - before.bytes).toBe(part);
    if (typeof fault === 'object') expect(ms).toBeGreaterThanOrEqual(55);
    expect((await ask('EndTxn')).answer).toBeDefined();
    expect(rule.hits).toBe(1);
  });

  it('stops a rule that has no end', async () => {
    const rule = proxy.arm({ api: 'Heartbeat', fault: 'cut-before' });
    expect((await ask('Heartbeat')).isCut).toBe(true);
    expect((await ask('Heartbeat')).isCut).toBe(true);
    rule.remove();
    expect((await ask('Heartbeat')).answer).toBeDefined();
    expect(rule.hits).toBe(2);
  });
});

describe('frames of a connection', () => {
  it('are whole however the bytes are cut', () => {
    const whole = [frame(Buffer.from('first')), frame(Buffer.alloc(0)), frame(Buffer.alloc(5_000, 7))];
    const bytes = Buffer.concat(whole);
    for (const step of [1, 3, 4, 7, 1_000, bytes.length]) {
      const frames = new KafkaFrames();
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step) found.push(...frames.add(bytes.subarray(at, at + step)));
      expect(found).toEqual(whole);
    }
  });
});

interface Outcome {
  readonly answer: Buffer | undefined;
  readonly isCut: boolean;
  readonly ms: number;
  readonly sentBytes: number;
}

/** One request on a connection of its own; without answer after a while it counts as swallowed. */
function ask(api: keyof typeof API_KEYS): Promise<Outcome> {
  const header = Buffer.alloc(8);
  header.writeInt16BE(API_KEYS[api], 0);
  header.writeInt32BE(41, 4);
  const request = frame(header, Buffer.from('client and body'));
  const begin = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: proxy.tcp.port });
    sockets.push(socket);
    const frames = new KafkaFrames();
    const settle = (answer: Buffer | undefined, isCut: boolean) => {
      clearTimeout(timer);
      // What was sent on to the broker right before a cut is counted there a moment later.
      setTimeout(
        () => resolve({ answer, isCut, ms: performance.now() - begin, sentBytes: request.length }),
        isCut ? 50 : 0,
      );
    };
    const timer = setTimeout(() => settle(undefined, false), 400);
    socket.on('error', () => settle(undefined, true));
    socket.on('data', (chunk: Buffer) => {
      for (const answer of frames.add(chunk)) settle(answer, false);
    });
    socket.write(request);
  });
}

function frame(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** As older versions of requests have it, and as newer ones do. */
function addressesOf(host: string, port: number): Buffer {
  const fixed = Buffer.alloc(2 + host.length + 4);
  fixed.writeInt16BE(host.length);
  fixed.write(host, 2);
  fixed.writeInt32BE(port, 2 + host.length);
  const flexible = Buffer.from(fixed.subarray(1));
  flexible[0] = host.length + 1;
  return Buffer.concat([fixed, flexible]);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
