import { afterEach, expect, it } from '@jest/globals';
import { openStatusServer, type StatusServer } from './status-server.ts';

let server: StatusServer | undefined;

afterEach(async () => {
  await server?.close();
});

it.each([
  ['text/plain', 'prometheus', 'text/plain; version=0.0.4; charset=utf-8'],
  ['*/*', 'prometheus', 'text/plain; version=0.0.4; charset=utf-8'],
  [
    'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
    'openmetrics',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ],
])('answers a scraper that accepts %s in the form %s', async (accept, form, type) => {
  server = await openStatusServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async (format) => `as ${format}\n`,
    ready: () => true,
  });
  const response = await fetch(`${server.url}/metrics`, { headers: { accept } });
  expect([response.headers.get('content-type'), await response.text()]).toEqual([type, `as ${form}\n`]);
});
