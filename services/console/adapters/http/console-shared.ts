import type { Clock } from '../../../../lib/runtime/clock.ts';
import type { Health } from '../../core/api-types.ts';
import { millis, pattern, type Refusal, refuse, text } from '../../core/http/params.ts';
import type { GraphQueries } from '../graph-queries.ts';
import type { GraphStore } from '../graph-store.ts';
import type { HotStore } from '../hot-store.ts';
import type { IncidentStore } from '../incident-store.ts';
import type { PeopleStore } from '../people-store.ts';
import type { TraceSources } from '../trace-sources.ts';
import type { EventStream } from './event-stream.ts';

/** What the routes ask. */
export interface ConsoleParts {
  readonly sources: TraceSources;
  readonly hot: HotStore;
  readonly graphStore: GraphStore;
  readonly graph: GraphQueries;
  readonly incidents: IncidentStore;
  readonly people: PeopleStore;
  readonly events: EventStream;
  readonly teamOf: (service: string) => string | null;
  readonly clock: Clock;
  readonly health: () => Health;
  /** The API's document. */
  readonly openapi: string;
  readonly tokenIsRight: (token: string) => boolean;
}

export const RANGE = { from: millis(), to: millis() } as const;
export const NAME = text(1024);
export const TRACE_ID = { shape: /^[0-9a-f]{32}$/, allowed: '32 lower-case hexadecimal digits' } as const;
export const SPAN_ID = { shape: /^[0-9a-f]{16}$/, allowed: '16 lower-case hexadecimal digits' } as const;
export const ATTRIBUTE = pattern(/^[^=]{1,1023}=/, 'key=value of at most 1024 characters');

/** The end defaults to now, the start to an hour before; an empty range is refused. */
export function readRange(
  { from, to }: { readonly from: number | undefined; readonly to: number | undefined },
  nowMs: number,
  names = { from: 'from', to: 'to' },
): { ok: true; range: { fromMs: number; toMs: number } } | { ok: false; refusal: Refusal } {
  const toMs = to ?? nowMs;
  const fromMs = from ?? Math.max(0, toMs - HOUR_MS);
  if (fromMs < toMs) return { ok: true, range: { fromMs, toMs } };
  return refuse(names.from, `${names.from} must be before ${names.to}${to === undefined ? ', which is now' : ''}.`);
}

export function notFound(what: string): { refusal: Refusal } {
  return { refusal: { status: 404, code: 'NOT_FOUND', message: what } };
}

const HOUR_MS = 3_600_000;
