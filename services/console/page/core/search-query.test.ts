import { describe, expect, it } from '@jest/globals';
import { readRoute, type ViewState } from './routes.ts';
import { parseAttributes, parseDuration, searchQuery, traceIdIn, withAttribute } from './search-query.ts';

const state = (query: string) => readRoute(`#/search?${query}`).state as ViewState<'search'>;

describe('a search', () => {
  it('asks for all that the form says', () => {
    const query = searchQuery(
      state('service=checkout&attributes=a%3D1+b%3D%22two+words%22&min=250ms&max=1.5s&errors=1&span=60'),
      100_000,
    );
    expect(String(query)).toBe(
      'from=40000&to=100000&service=checkout&error=true&limit=50&attribute=a%3D1&attribute=b%3Dtwo+words&durationMinMs=250&durationMaxMs=1500',
    );
  });

  it.each([
    ['min=soon', 'min'],
    ['max=1parsec', 'max'],
    ['attributes=word', 'attributes'],
    [`attributes=${'k%3Dv+'.repeat(11)}`, 'attributes'],
  ])('says what is wrong with %s', (query, field) => {
    expect(searchQuery(state(query), 0)).toMatchObject({ field, message: expect.stringMatching(/\.$/) });
  });

  it.each([
    ['1.5s', 1_500],
    ['250', 250],
    ['20us', 0.02],
    ['2 min', 120_000],
    ['-1s', undefined],
    ['', undefined],
  ])('reads the duration %j', (typed, ms) => {
    expect(parseDuration(typed)).toBe(ms);
  });

  it('takes an attribute from a span, quoted when it needs to be', () => {
    const typed = withAttribute(withAttribute('', 'db.system', 'mysql'), 'error.message', 'no such row');
    expect(typed).toBe('db.system=mysql error.message="no such row"');
    expect(parseAttributes(typed)).toEqual(['db.system=mysql', 'error.message=no such row']);
    expect(withAttribute(typed, 'db.system', 'mysql')).toBe(typed);
  });

  it.each([
    ['4BF92F3577B34DA6A3CE929D0E0E4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['4bf92f35-77b3-4da6-a3ce-929d0e0e4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['http://x/trace/4bf92f3577b34da6a3ce929d0e0e4736?a=b', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['a3ce929d0e0e4736', `${'0'.repeat(16)}a3ce929d0e0e4736`],
    ['checkout', undefined],
    ['4bf92f3577b34da6a3ce929d0e0e47361', undefined],
  ])('finds the trace id in %j', (typed, id) => {
    expect(traceIdIn(typed)).toBe(id);
  });
});
