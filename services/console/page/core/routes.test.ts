import { describe, expect, it } from '@jest/globals';
import { hrefOf, readRoute, type ViewState } from './routes.ts';

describe('routes', () => {
  it('come back from their link as they were', () => {
    const href = hrefOf(
      'trace',
      { selected: '00000000000000a1', closed: ['a', '1f'], from: 120, tab: 'compare' },
      'ab'.repeat(16),
    );
    expect(href).toBe(`#/trace/${'ab'.repeat(16)}?selected=00000000000000a1&closed=a%2C1f&from=120&tab=compare`);
    const route = readRoute(href);
    expect(route).toMatchObject({ view: 'trace', id: 'ab'.repeat(16) });
    expect(route.state).toMatchObject({ closed: ['a', '1f'], from: 120, to: 1_000_000, tab: 'compare', find: '' });
    expect(hrefOf('trace', route.state as ViewState<'trace'>, route.id)).toBe(href);
  });

  it('are short where nothing differs from the usual', () => {
    expect(hrefOf('graph', { span: 900, show: 'during', focus: '' })).toBe('#/graph');
  });

  it.each(['a/b?c=d&e', '50 % & "quotes"', '\u202eevil', '<script>', '日本', 'a%2Fb'])(
    'carry the service %j',
    (focus) => {
      expect(readRoute(hrefOf('graph', { focus })).state).toMatchObject({ focus });
    },
  );

  it.each([
    ['', 'graph'],
    ['#', 'graph'],
    ['#/nowhere/x', 'graph'],
    ['#/constructor', 'graph'],
    ['#/__proto__', 'graph'],
    ['#/trace', 'search'],
    ['#/incident/', 'incidents'],
    ['#/search?min=1', 'search'],
  ])('%j is the view %s', (hash, view) => {
    expect(readRoute(hash).view).toBe(view);
  });

  it('take nothing from a link that a view cannot show', () => {
    const { state } = readRoute(
      `#/graph?span=9e99&until=-5&up=77&show=sideways&unhealthy=maybe&as=table&sort=${'x'.repeat(99)}`,
    );
    expect(state).toMatchObject({ span: 900, until: 0, up: 9, show: 'during', unhealthy: false, as: 'table' });
    expect((state as { sort: string }).sort).toHaveLength(20);
    expect(readRoute('#/trace/%E0%A4%A').id).toBe('%E0%A4%A');
  });
});
