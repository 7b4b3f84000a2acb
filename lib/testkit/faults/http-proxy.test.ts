import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../traffic/random.ts';
import { type HttpFault, HttpProxy } from './http-proxy.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly signed: string;
  readonly body: string;
}

/** A store that says 412 to every second put of a path. */
let store: Server;
let seen: Seen[];
let proxy: HttpProxy;

beforeEach(async () => {
  seen = [];
  store = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray()).toString();
    const { method = '', url: path = '', headers } = incoming;
    const exists = method === 'PUT' && seen.some((earlier) => earlier.path === path);
    seen.push({ method, path, host: headers.host ?? '', signed: String(headers['x-signed']), body });
    response.writeHead(exists ? 412 : 200, { 'x-store': 'yes', 'content-type': 'text/plain' });
    response.end(`${method} ${path}`);
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  proxy = await HttpProxy.open(`http://127.0.0.1:${(store.address() as AddressInfo).port}`, new SeededDraws().next);
});

afterEach(async () => {
  await proxy.close();
  store.closeAllConnections();
  store.close();
});

describe('an HTTP fault proxy', () => {
  it('passes requests on as they came: method, path, query, body and the host that was signed', async () => {
    const answer = await ask('PUT', '/bucket/a%20b?x=%2F', 'the body');
    expect(answer).toMatchObject({ status: 200, body: 'PUT /bucket/a%20b?x=%2F', store: 'yes' });
    const { host } = new URL(proxy.url);
    expect(seen).toEqual([{ method: 'PUT', path: '/bucket/a%20b?x=%2F', host, signed: 'S', body: 'the body' }]);
  });

  it.each<[HttpFault, { status: number | 'reset' | 'none'; asked: number }]>([
    [
      { status: 503, code: 'SlowDown' },
      { status: 503, asked: 0 },
    ],
    ['reset', { status: 'reset', asked: 0 }],
    ['lose-answer', { status: 'reset', asked: 1 }],
    ['withhold-answer', { status: 'none', asked: 1 }],
    ['truncate-answer', { status: 'reset', asked: 1 }],
    [{ delayMs: 60 }, { status: 200, asked: 1 }],
  ])('%j', async (fault, expected) => {
    const rule = proxy.arm({ fault, times: 1 });
    const begin = performance.now();
    const { status, body } = await ask('PUT', '/bucket/a', 'b');
    expect({ status, asked: seen.length }).toEqual(expected);
    if (status === 503) expect(body).toContain('<Code>SlowDown</Code>');
    if (status === 200) expect(performance.now() - begin).toBeGreaterThanOrEqual(55);
    expect((await ask('PUT', '/bucket/b', 'b')).status).toBe(200);
    expect(rule.hits).toBe(1);
  });

  it('hides that a condition failed, as a store does that does not know conditions', async () => {
    await ask('PUT', '/bucket/a', '1');
    expect((await ask('PUT', '/bucket/a', '2')).status).toBe(412);
    proxy.arm({ fault: 'ignore-condition' });
    expect((await ask('PUT', '/bucket/a', '3')).status).toBe(200);
  });

  it('chooses by method, path, number and share', async () => {
    proxy.arm({ method: 'PUT', path: /\/chain\//, from: 2, times: 1, fault: { status: 500, code: 'InternalError' } });
    const first = [
      await ask('PUT', '/bucket/chain/1', ''),
      await ask('GET', '/bucket/chain/1', ''),
      await ask('PUT', '/bucket/other/1', ''),
      await ask('PUT', '/bucket/chain/2', ''),
      await ask('PUT', '/bucket/chain/3', ''),
    ];
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200, 500, 200]);

    const rule = proxy.arm({ share: 0.3, fault: { status: 500, code: 'InternalError' } });
    for (let i = 0; i < 100; i++) await ask('GET', `/bucket/${i}`, '');
    expect(rule.hits).toBeGreaterThan(10);
    expect(rule.hits).toBeLessThan(50);
    rule.remove();
    const before = rule.hits;
    for (let i = 0; i < 20; i++) expect((await ask('GET', `/bucket/${i}`, '')).status).toBe(200);
    expect(rule.hits).toBe(before);
  });

  it('resets when the store is gone', async () => {
    store.closeAllConnections();
    store.close();
    await once(store, 'close');
    expect((await ask('GET', '/bucket/a', '')).status).toBe('reset');
  });
});

class SeededDraws {
  private readonly random = new SeededRandom(5);
  readonly next = () => this.random.float();
}

interface Answer {
  readonly status: number | 'reset' | 'none';
  readonly body: string;
  readonly store: string | undefined;
}

function ask(method: string, path: string, body: string): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request(`${proxy.url}${path}`, { method, headers: { 'x-signed': 'S' }, agent: false });
    const ended = (status: Answer['status']) => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve({ status, body: '', store: undefined });
    };
    const timer = setTimeout(() => ended('none'), 400);
    outgoing.on('error', () => ended('reset'));
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('error', () => ended('reset'));
      response.on('end', () => {
        clearTimeout(timer);
        const store = response.headers['x-store'] as string | undefined;
        resolve({ status: response.statusCode ?? 0, body: text, store });
      });
    });
    outgoing.end(body);
  });
}
