import { choice, type Field, flag, readState, type StateOf, text, whole, words, writeState } from './url-state.ts';

/**
 * Every state that a person can bring a view into, so that a link shows to a colleague what one sees oneself. Hashes, so
 * that the page works from any static folder.
 */
export const VIEW_FIELDS = {
  graph: {
    /** Length of the time shown, in seconds. */
    span: whole(900, 60, 30 * 86_400),
    /** End of it, in milliseconds of Unix time; 0 follows the present. */
    until: whole(0, 0, 8_640_000_000_000),
    /** What it is held against: the 24 hours before, as much time as is shown, or from `since` on. */
    base: choice('day', 'same'),
    /** Start of the baseline in milliseconds of Unix time, as an incident sets it; 0 leaves it to `base`. */
    since: whole(0, 0, 8_640_000_000_000),
    show: choice('during', 'before', 'difference'),
    as: choice('graph', 'table'),
    service: text(),
    /** Client and server of the edge whose panel is open. */
    client: text(),
    server: text(),
    focus: text(),
    up: whole(9, 0, 9),
    down: whole(9, 0, 9),
    team: text(),
    find: text(),
    unhealthy: flag(),
    sort: text(20),
    /** What of the picture is seen: `x,y,scale`; empty for all of it. */
    view: text(60),
  },
  search: {
    service: text(),
    operation: text(),
    /** As typed: `key=value` pairs with blanks between them. */
    attributes: text(2_000),
    min: text(20),
    max: text(20),
    errors: flag(),
    span: whole(3_600, 60, 30 * 86_400),
    until: whole(0, 0, 8_640_000_000_000),
    limit: whole(50, 1, 500),
    sort: choice('newest', 'longest', 'errors', 'spans'),
  },
  trace: {
    /** The chosen span's id. */
    selected: text(32),
    closed: words(),
    find: text(),
    /** The part of the trace that is shown, in millionths of its duration. */
    from: whole(0, 0, 1_000_000),
    to: whole(1_000_000, 0, 1_000_000),
    tab: choice('waterfall', 'statistics', 'compare'),
    other: text(32),
    path: choice('shown', 'hidden'),
  },
  incidents: { state: choice('all', 'open', 'resolved'), find: text() },
  incident: { failing: text(32), healthy: text(32) },
} satisfies Record<string, Record<string, Field<unknown>>>;

export type ViewName = keyof typeof VIEW_FIELDS;
export type ViewState<V extends ViewName> = StateOf<(typeof VIEW_FIELDS)[V]>;

export interface Route<V extends ViewName = ViewName> {
  readonly view: V;
  /** Trace or incident id; empty for the views of many. */
  readonly id: string;
  readonly state: ViewState<V>;
}

/** Reads `#/view/id?state`; what is no view of ours is the graph. */
export function readRoute(hash: string): Route {
  const [path = '', query = ''] = splitOnce(hash.replace(/^#?\/?/, ''), '?');
  const [name = '', id = ''] = splitOnce(path, '/');
  const view = isView(name) ? name : 'graph';
  const needsId = view === 'trace' || view === 'incident';
  if (needsId && id === '') return readRoute(view === 'trace' ? '#/search' : '#/incidents');
  const fields: Record<string, Field<unknown>> = VIEW_FIELDS[view];
  return { view, id: decode(id), state: readState(fields, query) as Route['state'] };
}

export function hrefOf<V extends ViewName>(view: V, state: Partial<ViewState<V>> = {}, id = ''): string {
  const fields: Record<string, Field<unknown>> = VIEW_FIELDS[view];
  const query = writeState(fields, state as Record<string, unknown>);
  return `#/${view}${id === '' ? '' : `/${encodeURIComponent(id)}`}${query === '' ? '' : `?${query}`}`;
}

function isView(name: string): name is ViewName {
  return Object.hasOwn(VIEW_FIELDS, name);
}

function splitOnce(value: string, separator: string): [string, string] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}

/** A link that was cut in the middle of an escape is still a link. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
