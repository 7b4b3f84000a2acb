import type { ViewState } from './routes.ts';

export interface SearchProblem {
  readonly field: 'attributes' | 'min' | 'max';
  readonly message: string;
}

/** The parameters of GET /api/console/traces for a filled-in form, or what is wrong with it. */
export function searchQuery(state: ViewState<'search'>, nowMs: number): URLSearchParams | SearchProblem {
  const query = new URLSearchParams();
  const toMs = state.until === 0 ? nowMs : state.until;
  query.set('from', String(Math.max(0, toMs - state.span * 1_000)));
  query.set('to', String(toMs));
  if (state.service !== '') query.set('service', state.service);
  if (state.operation !== '') query.set('operation', state.operation);
  if (state.errors) query.set('error', 'true');
  query.set('limit', String(state.limit));
  const attributes = parseAttributes(state.attributes);
  if (typeof attributes === 'string') return { field: 'attributes', message: attributes };
  for (const attribute of attributes) query.append('attribute', attribute);
  for (const [field, name] of [
    ['min', 'durationMinMs'],
    ['max', 'durationMaxMs'],
  ] as const) {
    if (state[field].trim() === '') continue;
    const ms = parseDuration(state[field]);
    if (ms === undefined) return { field, message: `'${state[field]}' is no duration; write 250ms, 1.5s or 2m.` };
    query.set(name, String(ms));
  }
  return query;
}

/** `http.status_code=500 error.type="my error"` as key=value each; the sentence that says what is wrong else. */
export function parseAttributes(typed: string): string[] | string {
  const found: string[] = [];
  const rest = typed.replaceAll(/([^\s=]+)=(?:"([^"]*)"|(\S*))/g, (_, key: string, quoted?: string, bare?: string) => {
    found.push(`${key}=${quoted ?? bare ?? ''}`);
    return '';
  });
  if (rest.trim() !== '') return `'${rest.trim()}' is no key=value pair; put values with blanks in "quotes".`;
  if (found.length > ATTRIBUTES_MAX) return `At most ${ATTRIBUTES_MAX} attributes can be asked for at once.`;
  return found;
}

/** The same attribute list with one more, quoted when it needs to be. */
export function withAttribute(typed: string, key: string, value: string): string {
  const pair = /[\s"]/.test(value) ? `${key}="${value.replaceAll('"', '')}"` : `${key}=${value}`;
  return typed.includes(pair) ? typed : `${typed} ${pair}`.trim();
}

/** Milliseconds; a bare number is milliseconds already. */
export function parseDuration(typed: string): number | undefined {
  const [, number, unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|min|h)?\s*$/.exec(typed) ?? [];
  return number === undefined ? undefined : Number(number) * (UNIT_MS[unit] as number);
}

/** A trace id in whatever was pasted: alone, in upper case, with dashes or short, within a link. */
export function traceIdIn(typed: string): string | undefined {
  const found = typed
    .trim()
    .toLowerCase()
    .replaceAll('-', '')
    .match(/(?:^|[^0-9a-f])([0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])/);
  return found?.[1]?.padStart(32, '0');
}

const ATTRIBUTES_MAX = 10;
const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};
