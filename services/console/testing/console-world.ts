import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Incident } from '../../../lib/codec/incident-records.ts';
import type { AssembledTrace, ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { tokenCheck } from '../../../lib/http/token-check.ts';
import { Ownership } from '../../../lib/owners/ownership.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { ConsoleHealth } from '../adapters/console-health.ts';
import { GraphQueries } from '../adapters/graph-queries.ts';
import { hotReader } from '../adapters/hot-reader.ts';
import { allRoutes } from '../adapters/http/all-routes.ts';
import { EventStream } from '../adapters/http/event-stream.ts';
import { type HttpServer, openHttpServer } from '../adapters/http/http-server.ts';
import { openStaticPage } from '../adapters/http/static-page.ts';
import { openStores, type Stores } from '../adapters/open-stores.ts';
import { TraceSources } from '../adapters/trace-sources.ts';
import { settings } from '../config.ts';
import { Teams } from '../core/teams.ts';
import type { TraceReader } from '../ports.ts';

export interface ConsoleWorldOptions {
  /** Epoch milliseconds that this console takes for now. */
  readonly nowMs: number;
  readonly token?: string;
  /** Sources beside the hot store. */
  readonly near?: readonly TraceReader[];
  readonly far?: readonly TraceReader[];
  readonly timeoutMs?: number;
}

/** A console that answers over HTTP from its real stores; only Kafka is left out, whose records are given to it. */
export class ConsoleWorld {
  readonly stores: Stores;
  readonly events = new EventStream();
  private readonly closes: (() => void)[] = [];
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'spanloom-console-'));
  private readonly options: ConsoleWorldOptions;
  private server: HttpServer | undefined;
  private failure: unknown;

  constructor(options: ConsoleWorldOptions) {
    this.options = options;
    this.stores = openStores(this.values(), (close) => this.closes.push(close));
  }

  get url(): string {
    return this.server?.url ?? '';
  }

  async listen(): Promise<this> {
    const { nowMs, token, near = [], far = [], timeoutMs = 5_000 } = this.options;
    const { hot, graph, incidents, people } = this.stores;
    const clock = { ...systemClock, wallMs: () => nowMs };
    const teamOf = new Teams(new Ownership(new Map([['payment', 'payments']]))).of;
    const health = new ConsoleHealth({ clock, stores: this.stores, values: this.values(), onChange: () => {} });
    const tokenIsRight = tokenCheck(token);
    const sources = new TraceSources({
      near: [hotReader(hot), ...near],
      far,
      timeoutMs,
      oldestHotMs: () => hot.figures.oldestMs,
      onState: (source, down) => health.source(source, down),
    });
    this.server = await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      guard: { hosts: new Set(), authHeader: undefined, hasToken: token !== undefined },
      tokenIsRight,
      routes: allRoutes({
        sources,
        hot,
        graphStore: graph,
        graph: new GraphQueries(graph, teamOf),
        incidents,
        people,
        events: this.events,
        teamOf,
        clock,
        health: () => health.read(),
        openapi: readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8'),
        tokenIsRight,
      }),
      page: openStaticPage('/nowhere'),
      onAnswer: () => {},
      onFailure: (_route, error) => {
        this.failure = error;
      },
    });
    return this;
  }

  addTrace(trace: AssembledTrace): void {
    this.stores.hot.add(trace, this.options.nowMs);
  }

  addDeltas(deltas: readonly ServiceEdgeDelta[]): void {
    for (const delta of deltas) this.stores.graph.add(delta, this.options.nowMs);
    this.stores.graph.flush(new Map());
  }

  addIncidents(incidents: readonly Incident[]): void {
    this.stores.incidents.add(incidents, new Map(), this.options.nowMs);
  }

  /** Throws what a route threw, so that a test tells the cause and not the status. */
  async get(pathAndQuery: string, init: RequestInit = {}): Promise<{ status: number; json: unknown }> {
    const response = await fetch(`${this.url}${pathAndQuery}`, init);
    const body = await response.text();
    if (response.status === 500) throw this.failure;
    return { status: response.status, json: body === '' ? undefined : JSON.parse(body) };
  }

  async close(): Promise<void> {
    this.events.close();
    await this.server?.close();
    for (const close of this.closes) close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private values() {
    return readSettings(settings, { CONSOLE_DATA_DIR: this.folder });
  }
}
