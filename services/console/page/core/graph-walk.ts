import type { GraphLink } from './graph-links.ts';
import { NODE_WIDTH, type Place, type Places } from './layout.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Where an arrow key leads from a service: sideways along its calls, up and down within its layer. */
export function walk(places: Places, links: readonly GraphLink[], from: string, direction: Direction): string {
  const here = places.get(from);
  if (here === undefined) return from;
  const sideways = direction === 'left' || direction === 'right';
  const names = sideways ? along(links, from, direction) : [...places.keys()].filter((name) => name !== from);
  const found = names
    .flatMap((name) => {
      const place = places.get(name);
      return place === undefined ? [] : [{ name, cost: costOf(here, place, direction) }];
    })
    .filter(({ cost }) => Number.isFinite(cost))
    .sort((a, b) => a.cost - b.cost || (a.name < b.name ? -1 : 1));
  return found[0]?.name ?? from;
}

function along(links: readonly GraphLink[], from: string, direction: 'left' | 'right'): string[] {
  const found =
    direction === 'right' ? links.filter((link) => link.client === from) : links.filter((link) => link.server === from);
  return found.map((link) => (direction === 'right' ? link.server : link.client)).filter((name) => name !== from);
}

function costOf(here: Place, place: Place, direction: Direction): number {
  const [dx, dy] = [Math.abs(place.x - here.x), place.y - here.y];
  if (direction === 'left' || direction === 'right') return Math.abs(dy) + dx / 100;
  const isThatWay = direction === 'down' ? dy > 0 : dy < 0;
  if (!isThatWay) return Number.POSITIVE_INFINITY;
  return Math.abs(dy) + (dx < NODE_WIDTH / 2 ? 0 : 10_000 + dx);
}
