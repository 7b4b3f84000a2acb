import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';

/** What to run, and how it is called in messages and log files. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type ProcessEvent =
  | { readonly kind: 'ready'; readonly name: string; readonly restarts: number }
  | { readonly kind: 'exited'; readonly name: string; readonly how: string; readonly restartInMs: number };

export interface ProcessOptions {
  readonly logFolder: string;
  readonly onEvent: (event: ProcessEvent) => void;
  /** Milliseconds; the defaults are those of a machine, tests shorten them. */
  readonly restartDelayMs?: { readonly first: number; readonly max: number };
  readonly drainMsMax?: number;
  readonly readyMsMax?: number;
}

/**
 * One service process kept running until `stop`. A service says that it listens by one line of JSON on stdout,
 * `{"service":…,"metrics":"http://…/metrics"}`, and that it is ready by 200 on `/readyz` of the same port.
 *
 * The process leads a group of its own, so that Ctrl-C in a terminal reaches only the supervisor, which then stops
 * all services in order. It ends by itself when the supervisor dies: its stdin is a pipe that then closes.
 */
export class SupervisedProcess {
  readonly name: string;
  metricsUrl: string | undefined;
  /** Of the console: where its page is. */
  consoleUrl: string | undefined;
  /** Of the collector: where it takes spans in, by door. */
  collectorUrls: Readonly<Record<string, string>> | undefined;
  restarts = 0;
  private readonly spec: ProcessSpec;
  private readonly options: ProcessOptions;
  private readonly log: WriteStream;
  private readonly lastLines: string[] = [];
  private child: ChildProcess | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private stopping = false;
  private stopped: Promise<void> | undefined;
  private everReady = false;
  private failuresInRow = 0;
  private startedAtMs = 0;
  private settle: { resolve: () => void; reject: (error: SpanloomError) => void } | undefined;

  constructor(spec: ProcessSpec, options: ProcessOptions) {
    this.name = spec.name;
    this.spec = spec;
    this.options = options;
    this.log = createWriteStream(path.join(options.logFolder, `${spec.name}.log`), { flags: 'a' });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /**
   * Resolves when the service is ready for the first time.
   * @throws SpanloomError SERVICE_FAILED with its last lines, when it refuses its settings, fails several times over or
   *   is not ready in time.
   */
  async start(): Promise<void> {
    const readyMsMax = this.options.readyMsMax ?? READY_MS_MAX;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.settle = { resolve, reject };
        timer = setTimeout(() => reject(this.failure(`not ready after ${readyMsMax / 1000} s`)), readyMsMax);
        this.spawn();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks it to drain, and kills it if that takes longer than the grace time. Safe to call twice. */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  private async stopOnce(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const child = this.child;
    if (child === undefined) this.settle?.reject(stoppedTooEarly(this.name));
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), this.options.drainMsMax ?? DRAIN_MS_MAX);
      await exited;
      clearTimeout(killer);
    }
    await new Promise<void>((resolve) => this.log.end(() => resolve()));
  }

  private spawn(): void {
    this.startedAtMs = performance.now();
    const child = spawn(this.spec.command, [...this.spec.args], {
      env: { ...this.spec.env, ...this.stickyPorts(), SPANLOOM_SUPERVISED: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.child = child;
    let listening = false;
    // A child that dies at once breaks the pipe; its exit is what counts.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { metrics, console: page, collector } = addressesIn(line);
      this.consoleUrl = page ?? this.consoleUrl;
      this.collectorUrls = collector ?? this.collectorUrls;
      const url = listening ? undefined : metrics;
      if (url === undefined) return this.keep(line);
      listening = true;
      this.metricsUrl = url;
      void this.waitUntilReady(child, url);
    });
    createInterface({ input: child.stderr }).on('line', (line) => this.keep(line));
    child.on('error', (error) => {
      this.keep(error.message);
      this.ended(child, error.message, listening);
    });
    child.on('exit', (code, signal) => {
      this.ended(child, signal === null ? `exit code ${code}` : `signal ${signal}`, listening);
    });
  }

  /** A service keeps its addresses across restarts, so whoever reads from it need not ask again. */
  private stickyPorts(): Record<string, string> {
    const urls: [string, string | undefined][] = [
      ['METRICS_PORT', this.metricsUrl],
      ['CONSOLE_PORT', this.consoleUrl],
      ['COLLECTOR_HTTP_PORT', this.collectorUrls?.['otlp']],
      ['COLLECTOR_GRPC_PORT', this.collectorUrls?.['grpc']],
      ['COLLECTOR_ZIPKIN_PORT', this.collectorUrls?.['zipkin']],
      ['COLLECTOR_JAEGER_PORT', this.collectorUrls?.['jaeger']],
    ];
    return Object.fromEntries(urls.flatMap(([name, url]) => (url === undefined ? [] : [[name, new URL(url).port]])));
  }

  private async waitUntilReady(child: ChildProcess, metricsUrl: string): Promise<void> {
    const readyUrl = new URL('/readyz', metricsUrl);
    while (!this.stopping && this.child === child && child.exitCode === null) {
      if (await answersOk(readyUrl)) {
        if (this.child !== child || this.stopping) return;
        this.everReady = true;
        this.settle?.resolve();
        this.options.onEvent({ kind: 'ready', name: this.name, restarts: this.restarts });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  private ended(child: ChildProcess, how: string, wasListening: boolean): void {
    if (this.child !== child) return;
    this.child = undefined;
    if (this.stopping) {
      this.settle?.reject(stoppedTooEarly(this.name));
      return;
    }
    const ranMs = performance.now() - this.startedAtMs;
    this.failuresInRow = ranMs > STEADY_MS ? 1 : this.failuresInRow + 1;
    // Its port may have been the reason.
    if (!wasListening) this.metricsUrl = undefined;
    const refused = child.exitCode === EXIT_SETTINGS;
    if (!this.everReady && (refused || this.failuresInRow >= START_ATTEMPTS_MAX)) {
      this.stopping = true;
      this.settle?.reject(this.failure(how));
      return;
    }
    const { first, max } = this.options.restartDelayMs ?? RESTART_DELAY_MS;
    const restartInMs = Math.min(max, first * 2 ** (this.failuresInRow - 1));
    this.options.onEvent({ kind: 'exited', name: this.name, how, restartInMs });
    this.restarts++;
    this.restartTimer = setTimeout(() => this.spawn(), restartInMs);
  }

  private failure(how: string): SpanloomError {
    const lines = this.lastLines.map((line) => `    ${line}`).join('\n');
    const said = lines === '' ? 'It said nothing.' : `Its last lines:\n${lines}`;
    return new SpanloomError('SERVICE_FAILED', `${this.name} did not start (${how}). ${said}`);
  }

  private keep(line: string): void {
    if (!this.log.writableEnded) this.log.write(`${line}\n`);
    this.lastLines.push(line);
    if (this.lastLines.length > LAST_LINES_KEPT) this.lastLines.shift();
  }
}

function stoppedTooEarly(name: string): SpanloomError {
  return new SpanloomError('SERVICE_FAILED', `${name} was stopped before it was ready`);
}

/** What a service says on stdout of where it listens. */
interface Addresses {
  readonly metrics?: string;
  readonly console?: string;
  readonly collector?: Readonly<Record<string, string>>;
}

function addressesIn(line: string): Addresses {
  if (!line.startsWith('{"service":')) return {};
  try {
    return JSON.parse(line) as Addresses;
  } catch {
    return {};
  }
}

async function answersOk(url: URL): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READY_ANSWER_MS_MAX) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

const EXIT_SETTINGS = 78;
const START_ATTEMPTS_MAX = 5;
const RESTART_DELAY_MS = { first: 200, max: 5_000 };
/** A process that ran this long was healthy: its next failure is a first one again. */
const STEADY_MS = 20_000;
const DRAIN_MS_MAX = 10_000;
const READY_MS_MAX = 90_000;
const READY_POLL_MS = 150;
const READY_ANSWER_MS_MAX = 2_000;
const LAST_LINES_KEPT = 20;
