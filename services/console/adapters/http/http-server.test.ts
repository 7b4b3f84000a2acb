import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { incidentRecord } from '../../../../lib/testkit/incident-record.ts';
import { ConsoleWorld } from '../../testing/console-world.ts';
import { SHOP_MS } from '../../testing/shop.ts';

const TOKEN = 'a-token-of-some-length';
const JSON_HEADERS = { 'content-type': 'application/json' };
const incident = incidentRecord({ openedAt: SHOP_MS * 1000, updatedAt: SHOP_MS * 1000 });
const NOTES = `/api/console/incidents/${incident.incidentId}/notes`;

let world: ConsoleWorld;
afterEach(() => world.close());

async function start(token?: string): Promise<void> {
  world = await new ConsoleWorld({ nowMs: SHOP_MS, ...(token === undefined ? {} : { token }) }).listen();
  world.addIncidents([incident]);
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${world.url}${path}`, init);
}

/** Sends a request as it is written here, which `fetch` would mend. @returns the first line of the answer. */
function statusLine(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1', () => socket.write(request));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().split('\r\n')[0] as string);
    });
    socket.once('error', reject);
  });
}

describe('a console with a token', () => {
  it('answers whoever knows it, by header or by the cookie that the page gets for it', async () => {
    await start(TOKEN);
    const logIn = (token: string) =>
      ask('/api/console/session', { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify({ token }) });
    expect((await ask('/api/console/health')).status).toBe(401);
    expect((await ask('/api/services')).status).toBe(401);
    expect((await ask('/api/console/health', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await ask('/api/console/health', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    expect((await logIn('wrong')).status).toBe(401);
    const session = await logIn(TOKEN);
    expect(session.status).toBe(204);
    const cookie = session.headers.get('set-cookie') as string;
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    const headers = { cookie: `other=1; ${cookie.split(';')[0]}` };
    expect((await ask('/api/console/health', { headers })).status).toBe(200);
  });

  it('gives the page to everybody, which asks for the token by itself', async () => {
    await start(TOKEN);
    const page = await ask('/');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });
});

describe('requests that are not for this console', () => {
  it.each([
    ['GET /api/console/health HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
    ['GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
    ['GET /api/services HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n', 403],
    ['GET /api/console/health HTTP/1.1\r\n\r\n', 400],
    ['GET /api/console/health HTTP/1.0\r\n\r\n', 200],
  ])('%j gets %i', async (request, status) => {
    await start();
    expect(await statusLine(request)).toContain(` ${status} `);
  });
});

describe('requests with a body', () => {
  it.each([
    [{ method: 'POST', body: '{}' }, 415, undefined],
    [{ method: 'POST', headers: JSON_HEADERS, body: '{' }, 400, 'body'],
    [{ method: 'POST', headers: JSON_HEADERS, body: JSON.stringify({ text: '', by: 'Noor' }) }, 400, 'text'],
    [{ method: 'POST', headers: JSON_HEADERS, body: JSON.stringify({ text: 'x'.repeat(70_000) }) }, 413, undefined],
    [{ method: 'DELETE' }, 405, undefined],
  ])('%# is refused', async (init, status, field) => {
    await start();
    const response = await ask(NOTES, init);
    const { error } = (await response.json()) as { error: { field?: string } };
    expect([response.status, error.field]).toEqual([status, field]);
  });
});

describe('the stream of events', () => {
  it('begins with hello and brings what people do to an incident', async () => {
    await start();
    const response = await ask('/api/console/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const readUntil = async (part: string): Promise<void> => {
      while (!text.includes(part)) text += Buffer.from((await reader.read()).value ?? []).toString();
    };
    await readUntil('\n\nid: 1\nevent: hello\n');
    const body = JSON.stringify({ text: 'Failing over.', by: 'Noor' });
    expect((await ask(NOTES, { method: 'POST', headers: JSON_HEADERS, body })).status).toBe(200);
    await readUntil('"noteCount":1');
    expect(text).toContain('\nid: 2\nevent: incident\n');
    world.events.send('graph', { fromMs: 1, toMs: 2 });
    await readUntil('event: graph\ndata: {"fromMs":1,"toMs":2}\n\n');
    await reader.cancel();
  });

  it('ends with the console', async () => {
    await start();
    const response = await ask('/api/console/events');
    const whole = response.text();
    world.events.close();
    expect(await whole).toContain('event: hello');
  });
});
