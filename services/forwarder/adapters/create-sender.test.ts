import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createKafka } from '../../../lib/kafka/client.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { GrpcReceiver } from '../../../lib/testkit/grpc-receiver.ts';
import { Receiver } from '../../../lib/testkit/http-receiver.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { STRANGER, TLS } from '../../../lib/testkit/tls-certificates.ts';
import type { Destination } from '../core/destination.ts';
import { readDestinations } from '../core/read-destinations.ts';
import { createSender } from './create-sender.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-tls-'));
const closing: (() => Promise<unknown>)[] = [];
const trace = assembledTrace(otlp([{ service: 'web', spans: [{ id: 1 }] }]));

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pem(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const OURS = pem('ours.pem', TLS.cert);
const OTHERS = pem('others.pem', STRANGER.cert);

interface Server {
  readonly url: string;
  readonly authorizations: () => unknown[];
}

async function overHttps(): Promise<Server> {
  const receiver = await new Receiver(TLS).start();
  closing.push(() => receiver.stop());
  return { url: receiver.url, authorizations: () => receiver.received.map(({ headers }) => headers.authorization) };
}

async function overGrpc(): Promise<Server> {
  const receiver = await new GrpcReceiver({ tls: TLS }).start();
  closing.push(() => receiver.stop());
  const authorizations = () => receiver.received.map(({ metadata }) => metadata['authorization']);
  return { url: receiver.url, authorizations };
}

async function send(kind: string, url: string, tls: object) {
  const headers = { authorization: 'Bearer s3cret' };
  const { destinations, mistakes } = readDestinations(
    { destinations: [{ name: 'apm', kind, url, headers, tls, timeoutMs: 5_000 }] },
    'spanloom',
  );
  expect(mistakes).toEqual([]);
  const sender = createSender(destinations[0] as Destination, {
    own: createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test' }),
    clientId: 'test',
    clock: systemClock,
    log: () => {},
  });
  closing.push(() => sender.close());
  return sender.send([{ trace, offset: 0, appendMs: 0 }], new AbortController().signal, 'batch');
}

describe('a destination over TLS', () => {
  it.each<[string, () => Promise<Server>]>([
    ['otlp_http', overHttps],
    ['otlp_grpc', overGrpc],
    ['zipkin', overHttps],
    ['clickhouse', overHttps],
  ])('%s: trusts the authority that is named and no other, and shows its token to nobody else', async (kind, open) => {
    const { url, authorizations } = await open();
    const refusal = { kind: 'retry', why: expect.stringMatching(/^[^\n]*self-signed certificate[^\n]*$/) };
    expect(await send(kind, url, {})).toEqual(refusal);
    expect(await send(kind, url, { caPath: OTHERS })).toEqual(refusal);
    expect(await send(kind, url, { caPath: OURS, serverName: 'apm.example' })).toMatchObject({
      kind: 'retry',
      why: expect.stringContaining('apm.example'),
    });
    expect(authorizations()).toEqual([]);
    expect(await send(kind, url, { caPath: OURS })).toEqual({ kind: 'delivered' });
    expect(await send(kind, url, { caPath: OURS, serverName: 'localhost' })).toEqual({ kind: 'delivered' });
    expect(await send(kind, url, { verify: false })).toEqual({ kind: 'delivered' });
    expect(authorizations()).toEqual(Array(3).fill('Bearer s3cret'));
  });
});
