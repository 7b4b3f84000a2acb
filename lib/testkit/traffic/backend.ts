import { type EntryOperation, operationName, type Statement } from './operations.ts';
import { callCache, callDatabase, type PeerError } from './peers.ts';
import type { RequestContext } from './request.ts';
import type { OpenSpan, RequestTrace } from './request-trace.ts';
import { BACKEND, CACHE, DATABASE, type Instance, SCOPES } from './system.ts';

/** What the backend answered, and when (virtual milliseconds). */
export interface BackendAnswer {
  readonly status: 200 | 201 | 404 | 500 | 503;
  readonly endMs: number;
}

/** The backend's side of one request: its server span and the calls under it, strictly one after another. */
export class BackendSimulation {
  private readonly context: RequestContext;
  private readonly trace: RequestTrace;
  private readonly instance: Instance;
  private readonly operation: EntryOperation;
  private readonly path: string;
  private readonly caller: OpenSpan;
  /** How far this request has come. */
  private nowMs = 0;

  constructor(
    context: RequestContext,
    trace: RequestTrace,
    instance: Instance,
    operation: EntryOperation,
    path: string,
    caller: OpenSpan,
  ) {
    this.context = context;
    this.trace = trace;
    this.instance = instance;
    this.operation = operation;
    this.path = path;
    this.caller = caller;
  }

  handle(startMs: number): BackendAnswer {
    const { random } = this.context;
    const { method, route } = this.operation;
    const name = `${method} /api${route}`;
    const span = this.trace.begin(this.instance, SCOPES.backendServer, 'server', name, startMs, this.caller);
    this.nowMs = startMs + random.logNormal(0.7, 0.5);
    const status = this.work(span);
    const endMs = this.nowMs + random.logNormal(0.5, 0.4);
    span.end(endMs, {
      'http.request.method': method,
      'http.route': `/api${route}`,
      'url.scheme': 'http',
      'url.path': `/api${this.path}`,
      'server.address': BACKEND,
      'server.port': 8080,
      'network.protocol.version': '1.1',
      'http.response.status_code': status,
    });
    if (status >= 500) span.fail(String(status));
    return { status, endMs };
  }

  private work(server: OpenSpan): BackendAnswer['status'] {
    const { work } = this.operation;
    if (work.kind === 'write-through') return this.writeThrough(server);
    if (work.kind === 'plain-read') return this.database(work.query, server)?.httpStatus ?? 200;

    const { random } = this.context;
    const unknown = random.chance(work.unknownRatio);
    const cacheFailed = this.cache('GET', work.cacheEntry, server);
    if (!cacheFailed && !unknown && random.chance(work.hitRatio)) return 200;
    const error = this.database(work.query, server);
    if (error !== undefined) return error.httpStatus;
    if (unknown) return 404;
    this.cache('SET', work.cacheEntry, server);
    return 200;
  }

  /** An internal span between the server span and its calls, which does not itself say that anything failed. */
  private writeThrough(server: OpenSpan): BackendAnswer['status'] {
    const { work } = this.operation;
    if (work.kind !== 'write-through') throw new Error(`${operationName(this.operation)} does not write`);
    const code = this.trace.begin(this.instance, SCOPES.backendCode, 'internal', work.code, this.nowMs, server);
    this.nowMs += this.context.random.logNormal(0.2, 0.4);
    let status: BackendAnswer['status'] = 201;
    for (const statement of work.statements) {
      const error = this.database(statement, code);
      if (error === undefined) continue;
      status = error.httpStatus;
      break;
    }
    if (status === 201) this.cache('SET', work.cacheEntry, code);
    this.nowMs += this.context.random.logNormal(0.1, 0.4);
    code.end(this.nowMs, {
      'code.function.name': `com.example.shop.${work.code}`,
      'thread.name': 'http-nio-8080-exec-7',
    });
    return status;
  }

  private database(statement: Statement, parent: OpenSpan): PeerError | undefined {
    const { random, outages, truth } = this.context;
    const summary = `${statement.operation} ${statement.table}`;
    const span = this.trace.begin(this.instance, SCOPES.backendDatabase, 'client', summary, this.nowMs, parent);
    const call = callDatabase(random, statement, this.nowMs, outages);
    this.nowMs += call.durationMs;
    span.end(this.nowMs, {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.operation.name': statement.operation,
      'db.collection.name': statement.table,
      'db.query.summary': summary,
      'db.query.text': statement.text,
      'db.response.status_code': call.error?.responseCode,
      'server.address': DATABASE,
      'server.port': 5432,
    });
    failPeerCall(span, call.error);
    truth.call(BACKEND, DATABASE, 'database', call.error !== undefined);
    this.nowMs += random.logNormal(0.15, 0.4);
    return call.error;
  }

  /** True when the cache did not answer; the backend then goes on without it. */
  private cache(command: 'GET' | 'SET', entry: string, parent: OpenSpan): boolean {
    const { random, truth } = this.context;
    const span = this.trace.begin(this.instance, SCOPES.backendCache, 'client', command, this.nowMs, parent);
    const call = callCache(random);
    this.nowMs += call.durationMs;
    span.end(this.nowMs, {
      'db.system.name': 'redis',
      'db.namespace': '0',
      'db.operation.name': command,
      'db.query.text': command === 'GET' ? `GET ${entry}:?` : `SET ${entry}:? ? EX 300`,
      'server.address': CACHE,
      'server.port': 6379,
      'network.peer.address': '10.42.3.17',
      'network.peer.port': 6379,
    });
    failPeerCall(span, call.error);
    truth.call(BACKEND, CACHE, 'database', call.error !== undefined);
    this.nowMs += random.logNormal(0.1, 0.4);
    return call.error !== undefined;
  }
}

function failPeerCall(span: OpenSpan, error: PeerError | undefined): void {
  if (error === undefined) return;
  span.fail(error.type, error.message, { type: error.exception, message: error.message });
}
