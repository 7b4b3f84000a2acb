import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { TLS } from '../../../lib/testkit/tls-certificates.ts';
import { bearerToken } from './bearer-token.ts';
import { type HttpDoors, type HttpDoorsOptions, openHttpDoors } from './http-doors.ts';
import { intakeFixture } from './intake.fixture.ts';

const BODY = otlp([{ service: 'web', spans: [{ id: 1 }, { id: 2, parent: 1 }] }]);
const NO_UTF8 = Buffer.from('[{"traceId":"1","id":"2","name":"\xff"}]', 'latin1');
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const OPTIONS: HttpDoorsOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  token: bearerToken(undefined),
  corsOrigins: [],
  bodyBytesMax: 600_000,
  ratioMax: 20,
  requestsMax: 100,
  requestTimeoutMs: 20_000,
};
const opened: HttpDoors[] = [];

afterEach(async () => {
  for (const doors of opened.splice(0)) await doors.close();
});

async function open(options: Partial<HttpDoorsOptions> = {}, intake = intakeFixture()) {
  const doors = await openHttpDoors({ ...OPTIONS, ...options }, intake);
  opened.push(doors);
  const post = (path: string, body: Buffer | string, headers: Record<string, string> = PROTOBUF) =>
    fetch(doors.url + path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  return { intake, post, url: doors.url, port: Number(new URL(doors.url).port) };
}

describe('the HTTP doors', () => {
  it.each([
    ['as it is', undefined, BODY],
    ['gzip', 'gzip', gzipSync(BODY)],
    ['zstd', 'zstd', zstdCompressSync(BODY)],
    ['deflate', 'deflate', deflateSync(BODY)],
  ])('take OTLP %s', async (_name, encoding, sent) => {
    const { intake, post } = await open();
    const headers = encoding === undefined ? PROTOBUF : { ...PROTOBUF, 'content-encoding': encoding };
    expect((await post('/v1/traces?any', sent, headers)).status).toBe(200);
    expect(intake.records).toEqual([BODY]);
    expect(intake.reports).toMatchObject([{ protocol: 'otlp', door: 'http', code: 200, spans: 2, rejected: 0 }]);
    expect(intake.heldBytes).toBe(0);
  });

  it('say what they cannot take, keep nothing of it, and go on', async () => {
    const { intake, post, url } = await open();
    const gzip = { ...PROTOBUF, 'content-encoding': 'gzip' };
    const refusals: [string, Promise<Response>, number, RegExp][] = [
      ['an unknown path', post('/v1/metrics', BODY), 404, /\/v1\/traces/],
      ['GET', fetch(`${url}/v1/traces`), 405, /POST/],
      ['another content type', post('/v1/traces', BODY, { 'content-type': 'text/plain' }), 415, /x-protobuf or/],
      ['an encoding nobody knows', post('/v1/traces', BODY, { ...PROTOBUF, 'content-encoding': 'br' }), 415, /gzip/],
      ['what is not what it says', post('/v1/traces', BODY, gzip), 400, /not gzip/],
      ['half of a gzip', post('/v1/traces', gzipSync(BODY).subarray(0, -9), gzip), 400, /cut short/],
      ['a bomb', post('/v1/traces', gzipSync(Buffer.alloc(590_000)), gzip), 413, /decompresses/],
      ['a large body', post('/v1/traces', Buffer.alloc(700_000)), 413, /larger than 600000/],
      ['half a request', post('/v1/traces', BODY.subarray(0, -3)), 400, /truncated/],
      ['text that is not UTF-8', post('/api/v2/spans', NO_UTF8, { 'content-type': 'application/json' }), 400, /JSON/],
    ];
    for (const [name, response, status, sentence] of refusals) {
      const { status: got } = await response;
      expect([name, got]).toEqual([name, status]);
      expect(await (await response).text()).toMatch(sentence);
    }
    expect(intake.records).toEqual([]);
    expect(intake.heldBytes).toBe(0);
    expect((await post('/v1/traces', BODY)).status).toBe(200);
  });

  it('let a client that still sends read why it is refused', async () => {
    const { port } = await open();
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n');
        socket.write('transfer-encoding: chunked\r\n\r\n');
        const chunk = Buffer.concat([Buffer.from('186a0\r\n'), Buffer.alloc(100_000), Buffer.from('\r\n')]);
        for (let i = 0; i < 80; i++) socket.write(chunk);
        // Reads nothing before it has sent everything: a reset meanwhile would take the answer away.
        socket.write('0\r\n\r\n', () => {
          socket.on('data', (bytes) => {
            text += bytes.toString('latin1');
          });
        });
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toMatch(/larger than 600000 bytes/);
  });

  it('want the token before they read a body, and show no page whose it is', async () => {
    const { intake, post, url } = await open({ token: bearerToken('s3cret'), corsOrigins: ['https://shop.example'] });
    const refused = await post('/v1/traces', BODY);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect((await post('/v1/traces', BODY, { ...PROTOBUF, authorization: 'Bearer s3cre' })).status).toBe(401);
    expect(intake.records).toEqual([]);
    expect((await post('/v1/traces', BODY, { ...PROTOBUF, authorization: 'bearer s3cret' })).status).toBe(200);
    const preflight = (origin: string) => fetch(`${url}/v1/traces`, { method: 'OPTIONS', headers: { origin } });
    const allowed = await preflight('https://shop.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'https://shop.example']);
    const other = await preflight('https://other.example');
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });

  it('speak TLS alone when they have a certificate', async () => {
    const { intake, url, port } = await open({ tls: TLS });
    expect(url).toMatch(/^https:/);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = httpsRequest(`${url}/v1/traces`, {
        method: 'POST',
        ca: TLS.cert,
        headers: PROTOBUF,
        agent: false,
      });
      sending.on('response', (response) => resolve(response.resume().statusCode));
      sending.on('error', reject);
      sending.end(BODY);
    });
    expect(status).toBe(200);
    expect(intake.records).toEqual([BODY]);
    await expect(fetch(`http://127.0.0.1:${port}/v1/traces`)).rejects.toThrow();
  });

  it('answer only after Kafka: nothing before it, 503 with a time when it fails', async () => {
    const intake = intakeFixture();
    const kafka = Promise.withResolvers<boolean>();
    intake.answer = kafka.promise;
    const { post } = await open({}, intake);
    let isAnswered = false;
    const response = post('/v1/traces', BODY).then((answer) => {
      isAnswered = true;
      return answer;
    });
    while (intake.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAnswered).toBe(false);
    expect(intake.heldBytes).toBe(BODY.length);
    kafka.resolve(false);
    const { status, headers } = await response;
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(intake.heldBytes).toBe(0);
  });

  it('turn away with 429 and a time what would hold too much', async () => {
    const intake = intakeFixture({ heldBytesMax: BODY.length + 10 });
    const kafka = Promise.withResolvers<boolean>();
    intake.answer = kafka.promise;
    const { post } = await open({ requestsMax: 2 }, intake);
    const first = post('/v1/traces', BODY);
    while (intake.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await post('/v1/traces', BODY);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await second.text()).toMatch(/holds as many bytes/);
    kafka.resolve(true);
    expect((await first).status).toBe(200);
    expect((await post('/v1/traces', BODY)).status).toBe(200);
  });

  it('turn away with 429 more requests at once than they may have', async () => {
    const intake = intakeFixture();
    const kafka = Promise.withResolvers<boolean>();
    intake.answer = kafka.promise;
    const { post } = await open({ requestsMax: 1 }, intake);
    const first = post('/v1/traces', BODY);
    while (intake.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await post('/v1/traces', BODY);
    expect([second.status, await second.text()]).toEqual([429, expect.stringMatching(/Too many requests/)]);
    kafka.resolve(true);
    expect((await first).status).toBe(200);
  });

  it('end what comes too slowly with 408, and release what it held', async () => {
    const { intake, port } = await open({ requestTimeoutMs: 300 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const slow = httpRequest({
        port,
        path: '/v1/traces',
        method: 'POST',
        headers: { ...PROTOBUF, 'content-length': 99 },
      });
      slow.write(BODY.subarray(0, 5));
      slow.on('response', (response) => resolve(response.statusCode));
      slow.on('error', reject);
    });
    expect(status).toBe(408);
    while (intake.reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(intake.records).toEqual([]);
    expect(intake.heldBytes).toBe(0);
  });

  it('release what a client held that hung up', async () => {
    const { intake, port } = await open();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 99\r\n\r\nab`,
    );
    while (intake.heldBytes === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    while (intake.reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(intake.heldBytes).toBe(0);
    expect(intake.records).toEqual([]);
  });

  it('say which port is taken', async () => {
    const { port } = await open();
    await expect(open({ port })).rejects.toMatchObject({
      code: 'COLLECTOR_PORT',
      message: expect.stringMatching(/taken/),
    });
  });
});
