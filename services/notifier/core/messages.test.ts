import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../../lib/codec/incident-records.ts';
import { incidentRecord } from '../../../lib/testkit/incident-record.ts';
import { alertOf, isFor } from './alertmanager.ts';
import { judgeAnswer } from './judge-answer.ts';
import { isNewsForPeople, slackMessage } from './slack.ts';
import { signature, webhookMessage } from './webhook.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const at = (secondsBefore: number) => (NOW - secondsBefore * 1000) * 1000;
const incident = (fields: Partial<Incident> = {}) => incidentRecord({ openedAt: at(60), updatedAt: at(1), ...fields });
const FRAME = { nowMs: NOW, lastsMs: 240_000, link: 'https://console/incidents/{id}' };

describe('an alert for Alertmanager', () => {
  it('fires until four resends from now, under labels that do not change with every figure', () => {
    const first = alertOf(incident(), FRAME);
    expect(first).toMatchObject({
      labels: { alertname: 'SpanloomIncident', severity: 'critical', service: 'database', kind: 'errors' },
      startsAt: '2026-01-31T11:59:00.000Z',
      endsAt: '2026-01-31T12:04:00.000Z',
      generatorURL: 'https://console/incidents/00f067aa0ba902b7',
    });
    const later = incident({ seq: 9, severity: 'minor', worstSeverity: 'critical', summary: 'other words' });
    expect(alertOf(later, FRAME).labels).toEqual(first.labels);
    expect(first.labels).not.toHaveProperty('team');
    expect(alertOf(incident({ ownerTeam: 'storage' }), FRAME).labels).toMatchObject({ team: 'storage' });
  });

  it.each(['resolved', 'stale', 'expired'] as const)('ends when the incident is %s', (state) => {
    expect(alertOf(incident({ state, resolvedAt: at(5) }), FRAME).endsAt).toBe('2026-01-31T11:59:55.000Z');
  });

  it('goes to sinks for its worst severity so far', () => {
    const eased = incident({ severity: 'minor', worstSeverity: 'critical' });
    expect(isFor({ severity: 'major' }, eased)).toBe(true);
    expect(isFor({ severity: 'major' }, incident({ severity: 'minor', worstSeverity: 'minor' }))).toBe(false);
  });
});

describe('a signed webhook', () => {
  it('is signed over id, time and body as Standard Webhooks says', () => {
    const key = Buffer.from('0123456789abcdef01234567');
    const { headers, body } = webhookMessage(incident({ seq: 3 }), `whsec_${key.toString('base64')}`, NOW);
    expect(headers['webhook-id']).toBe('00f067aa0ba902b7:3');
    expect(headers['webhook-timestamp']).toBe(String(NOW / 1000));
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(body)).toMatchObject({ type: 'incident.open', data: { cause: { service: 'database' } } });
  });

  it('agrees with the example of the specification', () => {
    // The vector that the specification's own libraries are tested with.
    const [id, seconds, secret] = [
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '1614265330',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    ];
    expect(signature(id, seconds, '{"test": 2432232314}', secret)).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('a chat message', () => {
  it('cannot be made to mention or link by names that come from spans', () => {
    const text = slackMessage(incident({ summary: 'Service <!channel> & <http://evil|here> fails.' }), '');
    expect(JSON.parse(text).text).toContain('Service &lt;!channel&gt; &amp; &lt;http://evil|here&gt; fails.');
  });

  it.each<[string, Incident, Incident | undefined, boolean]>([
    ['opens', incident(), undefined, true],
    ['has only new figures', incident({ state: 'updated' }), incident(), false],
    ['gets worse', incident({ state: 'updated' }), incident({ severity: 'minor' }), true],
    ['eases', incident({ state: 'updated', severity: 'minor' }), incident(), false],
    [
      'has another cause',
      incident({ state: 'updated', cause: { ...incident().cause, service: 'x' } }),
      incident(),
      true,
    ],
    ['ends', incident({ state: 'resolved' }), incident(), true],
  ])('is sent or not when an incident %s', (_, now, before, isSent) => {
    expect(isNewsForPeople(now, before)).toBe(isSent);
  });
});

describe('judgeAnswer', () => {
  const answer = (status: number, retryAfter = '') => judgeAnswer({ status, retryAfter, body: Buffer.alloc(0) }, NOW);
  it.each([200, 202, 204])('takes %d for delivered', (status) => expect(answer(status).kind).toBe('delivered'));
  it.each([408, 425, 429, 500, 502, 503, 504])('tries %d again', (status) => expect(answer(status).kind).toBe('retry'));
  it.each([301, 302, 307, 400, 401, 403, 404, 410, 413])('gives up on %d', (status) => {
    expect(answer(status).kind).toBe('refused');
  });
  it.each([
    ['7', 7_000],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['999999', 600_000],
    ['soon', undefined],
  ])('waits as long as Retry-After %s says, within reason', (retryAfter, waitMs) => {
    expect(answer(503, retryAfter)).toMatchObject({ kind: 'retry', waitMs });
  });
});
