import { describe, expect, it } from '@jest/globals';
import { defineSettings, readSettings } from '../config/settings.ts';
import { canonicalList, promotedOf, promotedSettings } from './promoted-setting.ts';

const read = (text: string) =>
  readSettings(defineSettings(promotedSettings), { ARCHIVE_PROMOTED_ATTRIBUTES: text }).ARCHIVE_PROMOTED_ATTRIBUTES;

describe('ARCHIVE_PROMOTED_ATTRIBUTES', () => {
  it('adds to the default columns, or takes their place', () => {
    const added = promotedOf(read('default,Tenant.ID,cart.items:int,resource:team'));
    expect(added.spans.at(0)?.column).toBe('http_request_method');
    expect(added.spans.slice(-2)).toEqual([
      { column: 'tenant_id', keys: ['Tenant.ID'], type: 'text', isCopy: true },
      { column: 'cart_items', keys: ['cart.items'], type: 'int32', isCopy: true },
    ]);
    expect(added.resources.at(-1)).toEqual({ column: 'team', keys: ['team'], type: 'text', isCopy: true });
    expect(promotedOf(read('http.route')).spans.map(({ column }) => column)).toEqual(['http_route']);
    expect(promotedOf(read('none'))).toEqual({ spans: [], resources: [] });
  });

  it('means the same in any order', () => {
    expect(canonicalList(['b', 'default', 'a'])).toEqual(canonicalList(['a', 'b', 'default']));
  });

  it.each([
    ['default,http.route', 'two columns http_route'],
    ['default,http.method', 'http.method has a column already'],
    ['a.b,a-b', 'two columns a_b'],
    ['tenant,resource:tenant', 'two columns tenant'],
    ['kind', 'two columns kind'],
    ['über', 'a list, separated by commas, of attributes'],
    [Array.from({ length: 65 }, (_, i) => `k${i}`).join(), 'has 65 items, at most 64'],
  ])('refuses %s', (text, sentence) => {
    expect(() => read(text)).toThrow(sentence);
  });
});
