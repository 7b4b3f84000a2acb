/** Where things stand, in pixels of an unscaled picture. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface LayoutInput {
  readonly names: readonly string[];
  readonly links: readonly (readonly [client: string, server: string])[];
}

/** Centres of the nodes by name. */
export type Places = ReadonlyMap<string, Place>;

/** Where lines over several layers pass between the nodes in between, by client and server as `linkKey` has it. */
export type Routes = ReadonlyMap<string, readonly Place[]>;

export interface Layout {
  readonly places: Places;
  readonly routes: Routes;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 58;
export const LAYER_GAP = 108;
export const ROW_GAP = 30;

const LAYER_STEP = NODE_WIDTH + LAYER_GAP;
const ROW_STEP = NODE_HEIGHT + ROW_GAP;

/** Equal for equal services and calls, whatever their figures and order: a refresh then changes no place. */
export function layoutKey({ names, links }: LayoutInput): string {
  return JSON.stringify([names.toSorted(), links.map(([client, server]) => `${client}\u0000${server}`).toSorted()]);
}

/**
 * Gives every service that has none yet a place, and moves nobody: one layer to the right of its callers (or to the left
 * of what it calls), in the free row nearest to them.
 * @returns undefined when more is new than known: a new layout is then clearer than an old one with additions.
 */
export function placeNewcomers(places: Places, input: LayoutInput): Places | undefined {
  const newcomers = input.names.filter((name) => !places.has(name));
  if (newcomers.length === 0) return places;
  if (newcomers.length > input.names.length / 2) return undefined;
  const placed = new Map(places);
  for (let waiting = newcomers; waiting.length > 0; ) {
    const next = waiting.find((name) => neighbour(placed, input, name) !== undefined) ?? (waiting[0] as string);
    const near = neighbour(placed, input, next);
    placed.set(next, freePlace(placed, near ?? lowestLeft(placed)));
    waiting = waiting.filter((name) => name !== next);
  }
  return placed;
}

function neighbour(placed: Places, { links }: LayoutInput, name: string): Place | undefined {
  const at = (others: readonly string[]) => others.flatMap((other) => placed.get(other) ?? []);
  const callers = at(links.filter(([, server]) => server === name).map(([client]) => client));
  const callees = at(links.filter(([client]) => client === name).map(([, server]) => server));
  const y = mean([...callers, ...callees].map((place) => place.y));
  if (callers.length > 0) return { x: Math.max(...callers.map((place) => place.x)) + LAYER_STEP, y };
  if (callees.length > 0) return { x: Math.min(...callees.map((place) => place.x)) - LAYER_STEP, y };
  return undefined;
}

function lowestLeft(placed: Places): Place {
  const all = [...placed.values()];
  return { x: Math.min(0, ...all.map(({ x }) => x)), y: Math.max(0, ...all.map(({ y }) => y)) + ROW_STEP };
}

function freePlace(placed: Places, wanted: Place): Place {
  const near = [...placed.values()].filter(({ x }) => Math.abs(x - wanted.x) < NODE_WIDTH + ROW_GAP);
  for (let step = 0; ; step++) {
    const y = wanted.y + (step % 2 === 0 ? 1 : -1) * Math.ceil(step / 2) * ROW_STEP;
    if (near.every((place) => Math.abs(place.y - y) >= ROW_STEP - 1)) return { x: wanted.x, y };
  }
}

/**
 * A quick layered layout for graphs that are too large for a careful one: layers by the longest way from a service that
 * nobody calls, rows by the mean row of the neighbours, a few times to and fro. Circles are cut where the walk meets them.
 */
export function quickLayout({ names, links }: LayoutInput): Layout {
  const layerOf = layersOf(names, links);
  const byLayer = Map.groupBy(names.toSorted(), (name) => layerOf.get(name) as number);
  const layers = [...byLayer].sort(([a], [b]) => a - b).map(([, layer]) => layer);
  const rowOf = new Map<string, number>();
  const setRows = (layer: readonly string[]) =>
    layer.forEach((name, row) => {
      rowOf.set(name, row - (layer.length - 1) / 2);
    });
  layers.forEach(setRows);
  const near = neighboursOf(names, links);
  for (let round = 0; round < 8; round++) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map((name) => [name, mean((near.get(name) ?? []).map((other) => rowOf.get(other) ?? 0))]),
      );
      layer.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number) || (a < b ? -1 : 1));
      setRows(layer);
    }
  }
  const places = new Map(
    names.map((name) => [
      name,
      { x: (layerOf.get(name) as number) * LAYER_STEP, y: (rowOf.get(name) as number) * ROW_STEP },
    ]),
  );
  return { places, routes: new Map() };
}

function layersOf(names: readonly string[], links: LayoutInput['links']): Map<string, number> {
  const callees = new Map<string, string[]>(names.map((name) => [name, []]));
  const waitingFor = new Map<string, number>(names.map((name) => [name, 0]));
  for (const [client, server] of links) {
    if (client === server) continue;
    callees.get(client)?.push(server);
    waitingFor.set(server, (waitingFor.get(server) ?? 0) + 1);
  }
  const layerOf = new Map<string, number>();
  const ready = names.toSorted().filter((name) => waitingFor.get(name) === 0);
  const rest = new Set(names.toSorted());
  while (rest.size > 0) {
    // Nobody is ready: the rest is one or more circles. Begin with the first by name, so that it is the same each time.
    const name = ready.shift() ?? (rest.values().next().value as string);
    if (!rest.delete(name)) continue;
    const layer = layerOf.get(name) ?? 0;
    layerOf.set(name, layer);
    for (const callee of callees.get(name) ?? []) {
      if (!rest.has(callee)) continue;
      layerOf.set(callee, Math.max(layerOf.get(callee) ?? 0, layer + 1));
      const left = (waitingFor.get(callee) as number) - 1;
      waitingFor.set(callee, left);
      if (left === 0) ready.push(callee);
    }
  }
  return layerOf;
}

function neighboursOf(names: readonly string[], links: LayoutInput['links']): Map<string, string[]> {
  const near = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const [client, server] of links) {
    near.get(client)?.push(server);
    near.get(server)?.push(client);
  }
  return near;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
