import { describe, expect, it } from '@jest/globals';
import type { ExportRecord } from '../../lib/testkit/traffic/batch-exporter.ts';
import { sendTraffic } from './send-traffic.ts';

describe('sendTraffic', () => {
  it('sends each record when it is due, and those that are due together in one go', async () => {
    let nowMs = 0;
    const sends: string[] = [];
    await sendTraffic({
      records: [record('a', 0), record('b', 0), record('c', 20), record('d', 20)],
      send: async (messages) => {
        sends.push(`${nowMs >= 20 ? 'later' : 'at once'} ${messages.map(({ value }) => value).join('')}`);
      },
      elapsedMs: () => nowMs++,
      signal: new AbortController().signal,
      onSent: () => {},
    });
    expect(sends.join('; ')).toMatch(/^at once a(b|; at once b); later c(d|; later d)$/);
  });

  it('stops within a pause when told to, with nothing left half sent', async () => {
    const stop = new AbortController();
    const sent: string[] = [];
    const sending = sendTraffic({
      records: [record('a', 0), record('b', 60_000)],
      send: async (messages) => {
        sent.push(...messages.map(({ value }) => String(value)));
        stop.abort();
      },
      elapsedMs: () => 0,
      signal: stop.signal,
      onSent: () => {},
    });
    await sending;
    expect(sent).toEqual(['a']);
  });
});

function record(text: string, atMs: number): ExportRecord {
  return { atMs, instance: { service: 'api-gateway', id: text, resource: {} }, value: Buffer.from(text), spans: [] };
}
