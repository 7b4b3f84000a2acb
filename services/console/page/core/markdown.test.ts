import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Incident } from './api-types.ts';
import { evidenceOf, whyOf } from './evidence.ts';
import { causeName, incidentMarkdown } from './markdown.ts';

const example = JSON.parse(
  readFileSync(new URL('../../testdata/api/incident.json', import.meta.url), 'utf8'),
) as Incident;

describe('an incident as Markdown', () => {
  it('tells cause, radius, who is hit and what happened', () => {
    const text = incidentMarkdown(example, 'http://127.0.0.1:16686/#/incident/d8769776447bbc1b');
    expect(text).toMatch(/^# CRITICAL: The database fails since/);
    expect(text).toContain('- Cause: **database, as backend-service saw it** (client_no_server)');
    expect(text).toContain('152 of 757 requests (20 %)');
    expect(text).toContain('| api-gateway POST /cart/items | 49 | 87 | 56 % |');
    expect(text).toContain('## Timeline (UTC)');
  });

  it('lets no name become markup', () => {
    const evil = '**@all** [x](http://evil) | <b>\n# head';
    const text = incidentMarkdown(
      { ...example, path: [evil, 'db'], errorSignatures: [{ signature: '`x` \n# y', traces: 1 }] },
      '',
    );
    expect(text).toContain('\\*\\*@all\\*\\* \\[x\\](http://evil) \\| \\<b\\> \\# head → db');
    expect(text).toContain("- `'x' # y`: 1 trace");
  });
});

describe('a cause', () => {
  const { cause } = example.incident;
  it('is named with who saw it, and explained', () => {
    expect(causeName(cause)).toBe('database, as backend-service saw it');
    expect(causeName({ ...cause, kind: 'edge', service: 'shop' })).toBe('the way from backend-service to shop');
    expect(whyOf(cause)).toContain('sends no spans of its own');
    expect(whyOf({ ...cause, class: 'something newer' })).toBe('something newer');
    expect(evidenceOf({ cause, erroredTraces: 152, expectedTraces: 0.3, masked: 4, firstSeenMs: 0 })).toEqual([
      'Errors of 152 failing traces begin there (100 % of all in scope); usual in this time: as good as none.',
      '4 of them were hidden from the user by a retry or fallback.',
    ]);
  });
});
