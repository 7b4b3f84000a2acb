import { refuse } from '../../core/http/params.ts';
import type { ConsoleParts } from './console-shared.ts';
import { graphRoutes } from './graph-routes.ts';
import { incidentRoutes } from './incident-routes.ts';
import { type Answer, type Route, route } from './router.ts';
import { traceRoutes } from './trace-routes.ts';

/** The API of openapi.yaml. */
export function consoleRoutes(parts: ConsoleParts): Route[] {
  const { events, health, openapi } = parts;
  return [
    route('GET', '/api/console/health', {}, () => ({ json: health() })),
    ...graphRoutes(parts),
    ...traceRoutes(parts),
    ...incidentRoutes(parts),
    route('GET', '/api/console/events', {}, (): Answer => {
      if (events.isFull) {
        return { refusal: { status: 503, code: 'TOO_MANY', message: 'Too many listen already; ask again later.' } };
      }
      return { stream: (request, response) => events.open(request, response, health()) };
    }),
    route('POST', '/api/console/session', { needsLogin: false }, ({ body }) => logIn(parts, body)),
    route('GET', '/api/console/openapi.yaml', {}, () => ({ body: openapi, type: 'application/yaml; charset=utf-8' })),
  ];
}

function logIn({ tokenIsRight }: ConsoleParts, body: unknown): Answer {
  const token = (body as { token?: unknown } | null)?.token;
  if (typeof token !== 'string' || token === '' || token.length > TOKEN_LENGTH_MAX) {
    return refuse('token', `token must be text of 1 to ${TOKEN_LENGTH_MAX} characters.`);
  }
  if (!tokenIsRight(token)) {
    return { refusal: { status: 401, code: 'LOGIN_NEEDED', message: 'The token is wrong.' } };
  }
  const cookie = `spanloom_session=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`;
  return { status: 204, headers: { 'set-cookie': cookie } };
}

const TOKEN_LENGTH_MAX = 4096;
