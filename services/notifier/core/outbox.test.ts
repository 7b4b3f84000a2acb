import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../../lib/codec/incident-records.ts';
import { incidentRecord } from '../../../lib/testkit/incident-record.ts';
import type { AlertmanagerAlert } from './alertmanager.ts';
import { OrderedOutbox } from './ordered-outbox.ts';
import { readSinks, type Sink } from './sinks.ts';
import { StateOutbox } from './state-outbox.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const RESEND_MS = 60_000;
let offset = 0;

const sinkOf = (kind: string, severity = 'warning'): Sink =>
  readSinks([{ name: 'x', kind, url: 'http://x', severity, ...(kind === 'webhook' ? { secret: 's'.repeat(24) } : {}) }])
    .sinks[0] as Sink;
const announcement = (fields: Partial<Incident>, appendMs = NOW) => ({
  incident: incidentRecord({ openedAt: NOW * 1000, ...fields }),
  offset: offset++,
  appendMs,
});

describe('what an Alertmanager is told', () => {
  const outbox = (severity?: string) =>
    new StateOutbox(sinkOf('alertmanager', severity), { resendMs: RESEND_MS, link: '' });
  const alerts = (box: StateOutbox, nowMs = NOW): AlertmanagerAlert[] => JSON.parse(box.next(nowMs)?.body ?? '[]');
  const ids = (box: StateOutbox, nowMs = NOW) => alerts(box, nowMs).map(({ labels }) => labels['incident']);

  it('is all that fires, at once and again at each resend, until it ends, and then its end once', () => {
    const box = outbox();
    box.take(announcement({ incidentId: 'aa' }));
    box.take(announcement({ incidentId: 'bb' }));
    expect(ids(box)).toEqual(['aa', 'bb']);
    box.settled(NOW);
    expect(ids(box, NOW + RESEND_MS - 1)).toEqual([]);
    expect(ids(box, NOW + RESEND_MS)).toEqual(['aa', 'bb']);
    box.settled(NOW + RESEND_MS);
    box.take(announcement({ incidentId: 'aa', seq: 2, state: 'resolved', resolvedAt: NOW * 1000 }));
    expect(ids(box)).toEqual(['aa', 'bb']);
    box.settled(NOW);
    expect(ids(box, NOW + RESEND_MS)).toEqual(['bb']);
  });

  it('is the newest of each incident after a time without answers, and nothing is done until it is delivered', () => {
    const box = outbox();
    const first = announcement({ incidentId: 'aa', summary: 'first' });
    box.take(first);
    box.next(NOW);
    expect(box.position).toBeUndefined();
    box.take(announcement({ incidentId: 'aa', seq: 2, summary: 'second' }));
    expect(alerts(box).map(({ annotations }) => annotations['summary'])).toEqual(['second']);
    box.settled(NOW);
    expect(box.position).toBe(first.offset + 2);
  });

  it('ends the alert of labels that an incident has no more', () => {
    const box = outbox();
    box.remember(incidentRecord({ incidentId: 'aa', severity: 'minor', worstSeverity: 'minor' }));
    box.take(announcement({ incidentId: 'aa', seq: 2, state: 'updated', severity: 'critical' }));
    const sent = alerts(box);
    expect(sent.map(({ labels }) => labels['severity'])).toEqual(['minor', 'critical']);
    expect(Date.parse(sent[0]?.endsAt ?? '')).toBeLessThanOrEqual(NOW);
    expect(Date.parse(sent[1]?.endsAt ?? '')).toBeGreaterThan(NOW);
  });

  it('goes on firing when the topic is made anew, from its beginning', () => {
    const box = outbox();
    box.take(announcement({ incidentId: 'aa' }));
    box.next(NOW);
    box.forgetOffsets();
    box.settled(NOW);
    expect(box.position).toBeUndefined();
    expect(ids(box, NOW + RESEND_MS)).toEqual(['aa']);
    box.settled(NOW + RESEND_MS);
    box.take({ ...announcement({ incidentId: 'bb' }), offset: 0 });
    expect(ids(box, NOW + RESEND_MS)).toEqual(['aa', 'bb']);
    box.settled(NOW + RESEND_MS);
    expect(box.position).toBe(1);
  });

  it('includes what fired before it came, and nothing that is not severe enough', () => {
    const box = outbox('major');
    box.remember(incidentRecord({ incidentId: 'aa' }));
    box.remember(incidentRecord({ incidentId: 'bb', state: 'resolved' }));
    box.take(announcement({ incidentId: 'cc', severity: 'minor', worstSeverity: 'minor' }));
    expect(ids(box)).toEqual(['aa']);
  });
});

describe('what a webhook or a chat is told', () => {
  const outbox = (kind: string, severity?: string) =>
    new OrderedOutbox(sinkOf(kind, severity), { ageMaxMs: 3_600_000, link: '' });
  const told = (box: OrderedOutbox, nowMs = NOW): string[] => {
    const said: string[] = [];
    for (let message = box.next(nowMs); message !== undefined; message = box.next(nowMs)) {
      said.push(`${message.about?.incident.incidentId}:${message.about?.incident.seq}`);
      box.settled();
    }
    return said;
  };

  it('is each announcement in order; the position stays at what is not delivered', () => {
    const box = outbox('webhook');
    const first = announcement({ incidentId: 'aa' });
    box.take(first);
    box.take(announcement({ incidentId: 'aa', seq: 2, state: 'updated' }));
    expect(box.position).toBe(first.offset);
    expect(box.wantsMore).toBe(false);
    expect(told(box)).toEqual(['aa:1', 'aa:2']);
    expect(box.position).toBe(first.offset + 2);
    expect(box.wantsMore).toBe(true);
  });

  it('loses nothing when the topic is made anew, and begins with that', () => {
    const box = outbox('webhook');
    box.take(announcement({ incidentId: 'aa' }));
    box.forgetOffsets();
    expect(box.position).toBe(0);
    expect(told(box)).toEqual(['aa:1']);
    expect(box.position).toBeUndefined();
  });

  it('is for people only what is news, also compared with what was told before a restart', () => {
    const box = outbox('slack');
    box.remember(incidentRecord({ incidentId: 'aa' }));
    box.take(announcement({ incidentId: 'aa', seq: 2, state: 'updated' }));
    box.take(announcement({ incidentId: 'aa', seq: 3, state: 'resolved' }));
    expect(told(box)).toEqual(['aa:3']);
  });

  it('leaves out what is too old, and says so', () => {
    const box = outbox('webhook');
    box.take(announcement({ incidentId: 'aa' }, NOW - 3_600_001));
    box.take(announcement({ incidentId: 'bb' }));
    expect(told(box)).toEqual(['bb:1']);
    expect(box.takeTooOld().map(({ incident }) => incident.incidentId)).toEqual(['aa']);
    expect(box.takeTooOld()).toEqual([]);
  });

  it('goes on until the end of what was severe once', () => {
    const box = outbox('webhook', 'major');
    box.take(announcement({ incidentId: 'aa', severity: 'minor', worstSeverity: 'minor' }));
    box.take(announcement({ incidentId: 'aa', seq: 2, state: 'updated', severity: 'critical' }));
    box.take(
      announcement({ incidentId: 'aa', seq: 3, state: 'resolved', severity: 'minor', worstSeverity: 'critical' }),
    );
    expect(told(box)).toEqual(['aa:2', 'aa:3']);
  });
});
