import { describe, expect, it } from '@jest/globals';
import { readSinks } from './sinks.ts';

const WEBHOOK = { name: 'pager', kind: 'webhook', url: 'https://example.org/hook', secret: 'a'.repeat(24) };

describe('readSinks', () => {
  it('takes a list of sinks, with what goes without saying filled in', () => {
    const { sinks, mistakes } = readSinks([
      { name: 'ops', kind: 'alertmanager', url: 'http://am:9093/prefix', severity: 'major' },
      WEBHOOK,
    ]);
    expect(mistakes).toEqual([]);
    expect(sinks.map(({ url, ...rest }) => ({ url: url.href, ...rest }))).toEqual([
      {
        name: 'ops',
        kind: 'alertmanager',
        url: 'http://am:9093/prefix',
        secret: '',
        authorization: '',
        severity: 'major',
      },
      { ...WEBHOOK, authorization: '', severity: 'warning' },
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['no list', { name: 'a' }, /must be a list/],
    ['an empty list', [], /no sink/],
    ['a name for a path', [{ ...WEBHOOK, name: '../a' }], /number|name must be/],
    ['an unknown kind', [{ ...WEBHOOK, kind: 'email' }], /kind must be one of alertmanager, webhook, slack/],
    ['a file as address', [{ ...WEBHOOK, url: 'file:///etc/passwd' }], /url must be/],
    ['a password in the address', [{ ...WEBHOOK, url: 'https://user:pass@example.org' }], /without user and password/],
    ['a webhook without a secret', [{ ...WEBHOOK, secret: undefined }], /secret must have at least 24/],
    ['a secret of no use', [{ name: 'a', kind: 'slack', url: 'https://example.org', secret: 'x' }], /only a webhook/],
    ['two of one name', [WEBHOOK, WEBHOOK], /pager: another sink has that name/],
    ['a header in a header', [{ ...WEBHOOK, authorization: 'a\r\nhost: b' }], /authorization must be/],
    ['a misspelt field', [{ ...WEBHOOK, severty: 'major' }], /does not take severty/],
    ['an unknown severity', [{ ...WEBHOOK, severity: 'bad' }], /severity must be one of warning, minor/],
  ])('refuses %s', (_, declared, sentence) => expect(readSinks(declared).mistakes.join('\n')).toMatch(sentence));
});
