import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Params, type Read, type Refusal, readParams, type ValuesOf } from '../../core/http/params.ts';

/** What a route answers. */
export type Answer =
  | { readonly json: unknown }
  | { readonly status: number; readonly json: unknown }
  | { readonly refusal: Refusal }
  /** A whole body of another type. */
  | { readonly body: Buffer | string; readonly type: string; readonly cache?: string }
  | { readonly status: 204; readonly headers: Readonly<Record<string, string>> }
  /** The route writes the response itself and goes on for as long as it likes. */
  | { readonly stream: (request: IncomingMessage, response: ServerResponse) => void };

export interface Asked<P extends Params> {
  readonly params: ValuesOf<P>;
  /** The parts of the path that the route has names for. */
  readonly path: Readonly<Record<string, string>>;
  /** Of a route that takes a body: parsed JSON. */
  readonly body: unknown;
  /** Who asks, when something says so. */
  readonly user: string | undefined;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** As OpenAPI writes it, e.g. `/api/console/traces/{traceId}`. */
  readonly path: string;
  readonly params: Params;
  /** Refuses parameters that are not declared. */
  readonly strict: boolean;
  readonly pathParams: Readonly<Record<string, { shape: RegExp; allowed: string }>>;
  readonly needsLogin: boolean;
  /** How errors look: own, or as another API has them. */
  readonly refused?: (refusal: Refusal) => unknown;
  answer(asked: Asked<Params>): Promise<Answer> | Answer;
}

export function route<P extends Params>(
  method: Route['method'],
  path: string,
  options: Partial<Pick<Route, 'strict' | 'pathParams' | 'needsLogin' | 'refused'>> & { params?: P },
  answer: (asked: Asked<P>) => Promise<Answer> | Answer,
): Route {
  const { params = {}, strict = true, pathParams = {}, needsLogin = true, ...more } = options;
  return { method, path, params, strict, pathParams, needsLogin, ...more, answer: answer as Route['answer'] };
}

/** The routes by path and method. */
export class Router {
  private readonly routes: readonly { route: Route; parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.routes = routes.map((of) => ({ route: of, parts: of.path.split('/') }));
  }

  /** A route; the methods that the path has; or nothing. */
  find(method: string, pathname: string): { route: Route; path: Record<string, string> } | { allow: string[] } {
    const asked = method === 'HEAD' ? 'GET' : method;
    const segments = pathname.split('/');
    const allow: string[] = [];
    for (const { route: of, parts } of this.routes) {
      const path = match(parts, segments);
      if (path === undefined) continue;
      if (of.method === asked) return { route: of, path };
      allow.push(of.method);
    }
    return { allow };
  }
}

/** Names in the path, then the query. */
export function readRequest(
  of: Route,
  path: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Read<Record<string, unknown>> {
  for (const [name, { shape, allowed }] of Object.entries(of.pathParams)) {
    if (shape.test(path[name] ?? '')) continue;
    const refusal: Refusal = {
      status: 400,
      code: 'BAD_PARAMETER',
      field: name,
      message: `${name} must be ${allowed}.`,
    };
    return { ok: false, refusal };
  }
  return readParams(of.params, query, of.strict);
}

function match(parts: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (parts.length !== segments.length) return undefined;
  const path: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const segment = segments[i] as string;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (part !== segment) return undefined;
      continue;
    }
    try {
      path[name] = decodeURIComponent(segment);
    } catch {
      path[name] = '';
    }
  }
  return path;
}
