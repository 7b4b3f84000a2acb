import { describe, expect, it } from '@jest/globals';
import { incidentRecord } from '../../lib/testkit/incident-record.ts';
import { colours } from '../colours.ts';
import { FIRING_STATES, NewestIncidents } from './newest-incidents.ts';
import { parseSince } from './parse-since.ts';
import { incidentLine, incidentStory } from './words.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

describe('NewestIncidents', () => {
  const newest = new NewestIncidents();
  newest.add(incidentRecord({ incidentId: 'aa11', seq: 2, state: 'resolved', openedAt: 1, updatedAt: 9_000 }));
  newest.add(incidentRecord({ incidentId: 'aa11', seq: 1, state: 'open', openedAt: 1, updatedAt: 5_000 }));
  newest.add(incidentRecord({ incidentId: 'aa22', seq: 1, state: 'open', openedAt: 2, updatedAt: 20_000 }));
  const ids = (found: { incidentId: string }[]) => found.map(({ incidentId }) => incidentId);

  it('keeps the highest seq whatever the order, newest incident first', () => {
    expect(newest.list().map(({ incidentId, seq }) => [incidentId, seq])).toEqual([
      ['aa22', 1],
      ['aa11', 2],
    ]);
  });

  it('filters by state and by the time of the last announcement', () => {
    expect(ids(newest.list({ states: FIRING_STATES }))).toEqual(['aa22']);
    expect(ids(newest.list({ states: ['resolved'] }))).toEqual(['aa11']);
    expect(ids(newest.list({ sinceMs: 10 }))).toEqual(['aa22']);
    expect(ids(newest.list({ sinceMs: 9 }))).toEqual(['aa22', 'aa11']);
  });

  it('finds by the beginning of the id', () => {
    expect(ids(newest.startingWith('AA2'))).toEqual(['aa22']);
    expect(newest.startingWith('aa')).toHaveLength(2);
    expect(newest.startingWith('b')).toEqual([]);
  });
});

describe('parseSince', () => {
  it.each([
    ['90s', NOW - 90_000],
    ['15m', NOW - 900_000],
    ['2h', NOW - 7_200_000],
    ['7d', NOW - 604_800_000],
    ['2026-01-31T11:00:00Z', NOW - 3_600_000],
    ['yesterday', undefined],
    ['12', undefined],
    ['2026-99-99', undefined],
  ])('%s', (text, expected) => expect(parseSince(text, NOW)).toBe(expected));
});

describe('the words', () => {
  it('list an incident with its summary, and tell one with its suspects, errors and traces', () => {
    const incident = incidentRecord({
      openedAt: NOW * 1000,
      errorSignatures: [{ signature: 'connection refused', traces: 41 }],
      changes: [{ service: 'backend-service', version: '1.4.0', firstSeen: NOW * 1000 }],
    });
    expect(incidentLine(incident, colours(false))).toBe(
      `2026-01-31 12:00:00 UTC  open      critical  ${incident.incidentId}\n  ${incident.summary}`,
    );
    const story = incidentStory(incident, colours(false), 90);
    expect(story).toContain('41 × connection refused');
    expect(story).toContain('backend-service 1.4.0, first seen 2026-01-31 12:00:00 UTC');
    expect(story).toMatch(/Cause +database/);
  });
});
