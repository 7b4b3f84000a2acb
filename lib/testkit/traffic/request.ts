import { BackendSimulation } from './backend.ts';
import { ENTRY_OPERATIONS, type EntryOperation, operationName } from './operations.ts';
import type { Attributes } from './otlp-encode.ts';
import type { OutageSchedule } from './outage.ts';
import type { SeededRandom } from './random.ts';
import { RequestTrace, type TracedSpan } from './request-trace.ts';
import { BACKEND, GATEWAY, type Instance, SCOPES } from './system.ts';
import type { TrafficTruth } from './truth.ts';

/** How long the gateway waits for the backend. */
export const GATEWAY_TIMEOUT_MS = 30_000;

export interface RequestContext {
  readonly random: SeededRandom;
  readonly gateways: readonly Instance[];
  readonly backends: readonly Instance[];
  readonly outages: OutageSchedule | undefined;
  readonly truth: TrafficTruth;
}

/**
 * One request through the four nodes, arriving at `arrivalMs` (virtual milliseconds). What it did is counted in the
 * truth as it is simulated, so the truth never depends on the spans.
 */
export function simulateRequest(context: RequestContext, arrivalMs: number): TracedSpan[] {
  const { random, truth } = context;
  const operation = random.pickWeighted(ENTRY_OPERATIONS);
  const gateway = random.pick(context.gateways);
  const trace = new RequestTrace(random);
  const path = operation.path(1 + random.below(5_000));

  const root = trace.begin(gateway, SCOPES.gatewayHttp, 'server', operationName(operation), arrivalMs);
  const callStartMs = arrivalMs + random.logNormal(0.9, 0.4);
  const call = trace.begin(gateway, SCOPES.gatewayHttp, 'client', operation.method, callStartMs, root);

  const backend = new BackendSimulation(context, trace, random.pick(context.backends), operation, path, call);
  const answer = backend.handle(callStartMs + random.logNormal(0.3, 0.3));
  const answeredMs = answer.endMs + random.logNormal(0.3, 0.3);
  const timedOut = answeredMs - callStartMs > GATEWAY_TIMEOUT_MS;
  const callEndMs = timedOut ? callStartMs + GATEWAY_TIMEOUT_MS : answeredMs;
  const rootEndMs = callEndMs + random.logNormal(0.4, 0.3);

  const status = timedOut ? 504 : answer.status;
  call.end(callEndMs, clientAttributes(operation, path, timedOut ? undefined : answer.status));
  if (timedOut) call.fail('timeout', 'The backend did not answer within 30 s');
  else if (answer.status >= 400) call.fail(String(answer.status));
  root.end(rootEndMs, serverAttributes(random, operation, path, status));
  if (status >= 500) root.fail(String(status));

  truth.call(GATEWAY, BACKEND, '', timedOut || answer.status >= 500);
  truth.entry(GATEWAY, operationName(operation), status >= 500, timedOut);
  // What no span says is that somebody called: the graph names them `user`, as Tempo does.
  truth.call('user', GATEWAY, 'virtual_node', status >= 500);
  return trace.spans();
}

/** Attributes of HTTP spans as the stable semantic conventions name them. */
function clientAttributes(operation: EntryOperation, path: string, status: number | undefined): Attributes {
  return {
    'http.request.method': operation.method,
    'url.full': `http://${BACKEND}:8080/api${path}`,
    'server.address': BACKEND,
    'server.port': 8080,
    'network.protocol.version': '1.1',
    'http.response.status_code': status,
  };
}

function serverAttributes(random: SeededRandom, operation: EntryOperation, path: string, status: number): Attributes {
  return {
    'http.request.method': operation.method,
    'http.route': operation.route,
    'url.scheme': 'https',
    'url.path': path,
    'server.address': 'shop.example.com',
    'server.port': 443,
    'client.address': `203.0.113.${1 + random.below(254)}`,
    'user_agent.original': random.pick(USER_AGENTS),
    'network.protocol.version': '2',
    'http.response.status_code': status,
  };
}

const USER_AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'ShopApp/7.3 (Android 16)',
];
