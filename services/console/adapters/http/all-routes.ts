import { consoleRoutes } from './console-routes.ts';
import type { ConsoleParts } from './console-shared.ts';
import { jaegerRoutes } from './jaeger-routes.ts';
import { jaegerV3Routes } from './jaeger-v3-routes.ts';
import type { Route } from './router.ts';
import { zipkinRoutes } from './zipkin-routes.ts';

/** Everything below /api/: our own API below /api/console/, the others where their clients look for them. */
export function allRoutes(parts: ConsoleParts): Route[] {
  return [...consoleRoutes(parts), ...jaegerRoutes(parts), ...jaegerV3Routes(parts), ...zipkinRoutes(parts)];
}
