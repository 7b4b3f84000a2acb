import { describe, expect, it } from '@jest/globals';
import { graphLinks } from './graph-links.ts';
import { walk } from './graph-walk.ts';
import { type LayoutInput, layoutKey, NODE_HEIGHT, NODE_WIDTH, placeNewcomers, quickLayout } from './layout.ts';
import { linkPath } from './link-path.ts';
import { fitAll, parseView, printView, reveal, zoomAt } from './viewport.ts';

const small: LayoutInput = {
  names: ['user', 'gateway', 'shop', 'db', 'cache'],
  links: [
    ['user', 'gateway'],
    ['gateway', 'shop'],
    ['shop', 'db'],
    ['shop', 'cache'],
  ],
};

describe('a layout', () => {
  it('has callers to the left of what they call', () => {
    const { places } = quickLayout(small);
    for (const [client, server] of small.links)
      expect(places.get(client)?.x).toBeLessThan(places.get(server)?.x as number);
  });

  it('has one key for one set of services and calls, in any order', () => {
    const shuffled = { names: small.names.toReversed(), links: small.links.toReversed() };
    expect(layoutKey(shuffled)).toBe(layoutKey(small));
    expect(layoutKey({ ...small, links: small.links.slice(1) })).not.toBe(layoutKey(small));
    expect([...quickLayout(shuffled).places].sort()).toEqual([...quickLayout(small).places].sort());
  });

  it('places circles, loops and 500 services with 1500 calls', () => {
    const names = Array.from({ length: 500 }, (_, at) => `s${at}`);
    const links = Array.from({ length: 1_500 }, (_, at) => [`s${(at * 7) % 500}`, `s${(at * 13) % 500}`] as const);
    const { places } = quickLayout({ names, links });
    expect(places.size).toBe(500);
    const spots = new Set([...places.values()].map(({ x, y }) => `${x},${y}`));
    expect(spots.size).toBe(500);
  });
});

describe('newcomers', () => {
  it('move nobody, and stand where there is room, behind their callers', () => {
    const { places } = quickLayout(small);
    const grown = placeNewcomers(places, {
      names: [...small.names, 'search', 'mail'],
      links: [...small.links, ['gateway', 'search'], ['mail', 'db']],
    });
    for (const [name, place] of places) expect(grown?.get(name)).toBe(place);
    expect(grown?.get('search')?.x).toBeGreaterThan(places.get('gateway')?.x as number);
    expect(grown?.get('mail')?.x).toBeLessThan(places.get('db')?.x as number);
    const all = [...(grown ?? [])];
    for (const [name, a] of all) {
      for (const [other, b] of all) {
        if (name !== other) expect(Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT).toBe(true);
      }
    }
  });

  it('change nothing when there are none, and ask for a new layout when they are most', () => {
    const { places } = quickLayout(small);
    expect(placeNewcomers(places, { names: ['shop'], links: [] })).toBe(places);
    expect(placeNewcomers(new Map([['a', { x: 0, y: 0 }]]), { names: ['b', 'c', 'd'], links: [] })).toBeUndefined();
  });
});

describe('arrow keys', () => {
  const { places } = quickLayout(small);
  const links = graphLinks({
    edges: small.links.map(([client, server]) => ({ client, server, connectionType: '' })) as never,
  });
  it('lead along calls, and within a layer', () => {
    expect(walk(places, links, 'gateway', 'right')).toBe('shop');
    expect(walk(places, links, 'gateway', 'left')).toBe('user');
    expect(walk(places, links, 'user', 'left')).toBe('user');
    const first = walk(places, links, 'shop', 'right');
    const down = walk(places, links, first, 'down');
    expect([first, down].sort()).toEqual(['cache', 'db']);
    expect(walk(places, links, 'gone', 'up')).toBe('gone');
  });
});

describe('the line of a link', () => {
  it('passes the points between, and goes round when it runs against the stream', () => {
    const straight = linkPath({ x: 0, y: 0 }, { x: 400, y: 0 });
    expect(straight.match(/C/g)).toHaveLength(1);
    expect(linkPath({ x: 0, y: 0 }, { x: 900, y: 0 }, [{ x: 450, y: 80 }]).match(/C/g)).toHaveLength(3);
    const back = linkPath({ x: 400, y: 0 }, { x: 0, y: 0 });
    expect(back.startsWith(`M400.0,${(NODE_HEIGHT / 2).toFixed(1)}`)).toBe(true);
    for (const path of [straight, back, linkPath({ x: 5, y: 5 }, { x: 5, y: 5 })]) expect(path).not.toContain('NaN');
  });
});

describe('the viewport', () => {
  const size = { width: 800, height: 400 };
  it('shows all, zooms at the pointer, and moves no more than it takes', () => {
    const fitted = fitAll([...quickLayout(small).places.values()], size);
    expect(fitted.scale).toBeLessThan(1);
    const point = { x: 200, y: 100 };
    const zoomed = zoomAt(fitted, 2, point);
    const under = (view: typeof fitted) => [(point.x - view.x) / view.scale, (point.y - view.y) / view.scale];
    expect(under(zoomed)[0]).toBeCloseTo(under(fitted)[0] as number);
    const still = { x: 400, y: 200, scale: 1 };
    expect(reveal(still, { x: 0, y: 0 }, size)).toEqual(still);
    expect(reveal(still, { x: 900, y: 0 }, size).x).toBeLessThan(400);
  });

  it('comes back from the URL, or not at all', () => {
    expect(parseView(printView({ x: 1.4, y: -2, scale: 0.7564 }))).toEqual({ x: 1, y: -2, scale: 0.756 });
    expect([parseView(''), parseView('1,2'), parseView('a,b,c'), parseView('1,2,3,4')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(parseView('0,0,99')?.scale).toBe(2.5);
  });
});
