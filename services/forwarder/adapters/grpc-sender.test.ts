import { afterEach, describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { GrpcReceiver } from '../../../lib/testkit/grpc-receiver.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { STRANGER, TLS } from '../../../lib/testkit/tls-certificates.ts';
import type { GrpcDestination } from '../core/destination.ts';
import { readDestinations } from '../core/read-destinations.ts';
import type { Sender } from '../ports.ts';
import { createGrpcSender } from './grpc-sender.ts';

const closing: (() => Promise<void>)[] = [];
const BATCH = [1, 2].map((trace) => ({
  trace: assembledTrace(otlp([{ service: 'web', spans: [{ id: 1 }] }], { trace })),
  offset: trace,
  appendMs: 0,
}));
const BOTH = Buffer.concat(BATCH.map(({ trace }) => trace.otlp));

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function receiverWith(options: ConstructorParameters<typeof GrpcReceiver>[0] = {}) {
  const receiver = await new GrpcReceiver(options).start();
  closing.push(() => receiver.stop());
  return receiver;
}

function senderTo(url: string, fields: object = {}, tls: Parameters<typeof createGrpcSender>[1]['tls'] = {}): Sender {
  const { destinations, mistakes } = readDestinations(
    { destinations: [{ name: 'apm', kind: 'otlp_grpc', url, ...fields }] },
    'spanloom',
  );
  expect(mistakes).toEqual([]);
  const sender = createGrpcSender(destinations[0] as GrpcDestination, { tls });
  closing.push(() => sender.close());
  return sender;
}

const go = new AbortController().signal;

describe('the gRPC sender', () => {
  it.each(['gzip', 'none'])(
    'sends a batch as one message with the headers as metadata, compression %s',
    async (compression) => {
      const receiver = await receiverWith();
      const headers = { 'Api-Key': 'k', 'tenant-bin': Buffer.from([0, 1, 255]).toString('base64') };
      const sender = senderTo(receiver.url, { compression, headers });
      expect(await sender.send(BATCH, go, 'batch')).toEqual({ kind: 'delivered' });
      const [call] = receiver.received;
      expect(call?.message).toEqual(BOTH);
      expect(call?.metadata).toMatchObject({ 'api-key': 'k', 'tenant-bin': Buffer.from([0, 1, 255]) });
      expect(call?.metadata['user-agent']).toMatch(/^spanloom-forwarder /);
    },
  );

  it('says what the receiver said, and goes on with the same connection', async () => {
    const receiver = await receiverWith();
    receiver.replies = [
      { code: 3, details: 'no such tenant' },
      { code: 14, details: 'later' },
    ];
    const sender = senderTo(receiver.url);
    expect(await sender.send(BATCH, go, 'batch')).toEqual({
      kind: 'refused',
      why: 'it answered INVALID_ARGUMENT: no such tenant',
    });
    expect(await sender.send(BATCH, go, 'batch')).toMatchObject({
      kind: 'retry',
      why: 'it answered UNAVAILABLE: later',
    });
    expect(await sender.send(BATCH, go, 'batch')).toEqual({ kind: 'delivered' });
  });

  it('knows that a message was too large for the receiver', async () => {
    const receiver = await receiverWith({ messageBytesMax: BOTH.length - 1 });
    const sender = senderTo(receiver.url, { compression: 'none' });
    expect(await sender.send(BATCH, go, 'batch')).toMatchObject({ kind: 'too_large' });
    expect(await sender.send(BATCH.slice(1), go, 'batch')).toEqual({ kind: 'delivered' });
  });

  it('finds a receiver that comes back, soon', async () => {
    const first = await receiverWith();
    const { port } = first;
    const sender = senderTo(first.url, { timeoutMs: 2_000 });
    expect(await sender.send(BATCH, go, 'batch')).toEqual({ kind: 'delivered' });
    await first.stop();
    expect(await sender.send(BATCH, go, 'batch')).toMatchObject({ kind: 'retry' });
    const second = new GrpcReceiver();
    closing.push(() => second.stop());
    await second.start(port);
    const until = Date.now() + 5_000;
    while ((await sender.send(BATCH, go, 'batch')).kind !== 'delivered') {
      if (Date.now() > until) throw new Error('it was not found again');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('gives up after its time, takes a new connection, and stops when told to', async () => {
    const receiver = await receiverWith();
    receiver.replies = ['never'];
    const sender = senderTo(receiver.url, { timeoutMs: 200 });
    expect(await sender.send(BATCH, go, 'batch')).toMatchObject({
      kind: 'retry',
      why: expect.stringContaining('DEADLINE_EXCEEDED'),
    });
    expect(await sender.send(BATCH, go, 'batch')).toEqual({ kind: 'delivered' });
    const [first, second] = receiver.received;
    expect(second?.peer).not.toBe(first?.peer);
    receiver.replies = ['never'];
    const stop = new AbortController();
    const sending = senderTo(receiver.url).send(BATCH, stop.signal, 'batch');
    while (receiver.received.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await sending).toMatchObject({ kind: 'retry', why: expect.stringContaining('CANCELLED') });
  });

  it('trusts the authority that is named, shows its certificate, and refuses any other in one sentence', async () => {
    const receiver = await receiverWith({ tls: { ...TLS, clientAuthority: TLS.cert } });
    const own = { cert: TLS.cert, key: TLS.key };
    expect(await senderTo(receiver.url, {}, { ca: TLS.cert, ...own }).send(BATCH, go, 'batch')).toEqual({
      kind: 'delivered',
    });
    const wary = await senderTo(receiver.url, {}, { ca: STRANGER.cert, ...own }).send(BATCH, go, 'batch');
    expect(wary).toEqual({
      kind: 'retry',
      why: expect.stringMatching(
        /^it answered UNAVAILABLE: No connection established. Last error: .*self-signed certificate/,
      ),
    });
    expect(await senderTo(receiver.url, {}, { ca: TLS.cert }).send(BATCH, go, 'batch')).toMatchObject({
      kind: 'retry',
    });
    const trusting = { ...own, rejectUnauthorized: false };
    expect(await senderTo(receiver.url, {}, trusting).send(BATCH, go, 'batch')).toEqual({ kind: 'delivered' });
    const misnamed = await senderTo(receiver.url, {}, { ca: TLS.cert, ...own, servername: 'apm.example' }).send(
      BATCH,
      go,
      'batch',
    );
    expect(misnamed).toMatchObject({ kind: 'retry', why: expect.stringContaining('apm.example') });
  });
});
