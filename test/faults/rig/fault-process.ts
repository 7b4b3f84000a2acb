import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ServiceName } from '../../../cli/services.ts';
import { SERVICE_ENV, SERVICE_NODE_FLAGS } from '../../../cli/supervisor/service-spec.ts';
import { type ProcessEvent, SupervisedProcess } from '../../../cli/supervisor/supervised-process.ts';
import { HttpProxy } from '../../../lib/testkit/faults/http-proxy.ts';
import { KafkaProxy } from '../../../lib/testkit/faults/kafka-proxy.ts';
import { TcpProxy } from '../../../lib/testkit/faults/tcp-proxy.ts';
import type { StackAddresses } from '../../../lib/testkit/stack/stack.ts';
import { waitUntil } from './wait-until.ts';

export interface FaultProcessOptions {
  readonly service: ServiceName;
  /** Unique in the pipeline, e.g. `trace-assembler-2`. */
  readonly name: string;
  readonly addresses: StackAddresses;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFolder: string;
}

/** One service process under the product's own supervisor, each of its servers behind a proxy of its own. */
export class FaultProcess {
  readonly service: ServiceName;
  readonly name: string;
  readonly kafka: KafkaProxy;
  readonly redis: TcpProxy;
  readonly s3: HttpProxy;
  /** How each life ended, e.g. `signal SIGKILL`, oldest first. */
  readonly deaths: string[] = [];
  private readonly env: Record<string, string | undefined>;
  private readonly options: FaultProcessOptions;
  private readonly crashes: string[] = [];
  private supervised: SupervisedProcess;
  private isReady = false;

  private constructor(options: FaultProcessOptions, proxies: { kafka: KafkaProxy; redis: TcpProxy; s3: HttpProxy }) {
    this.options = options;
    this.service = options.service;
    this.name = options.name;
    this.kafka = proxies.kafka;
    this.redis = proxies.redis;
    this.s3 = proxies.s3;
    this.env = {
      ...SERVICE_ENV,
      ...options.env,
      KAFKA_BROKERS: this.kafka.tcp.address,
      REDIS_URL: `redis://${this.redis.address}`,
      S3_ENDPOINT: this.s3.url,
    };
    this.supervised = this.supervise();
  }

  static async open(options: FaultProcessOptions): Promise<FaultProcess> {
    const { addresses } = options;
    const [kafka, redis] = [new URL(`tcp://${addresses.kafka[0]}`), new URL(addresses.redis)];
    return new FaultProcess(options, {
      kafka: await KafkaProxy.open({ host: kafka.hostname, port: Number(kafka.port) }),
      redis: await TcpProxy.open({ host: redis.hostname, port: Number(redis.port) }),
      s3: await HttpProxy.open(addresses.s3.endpoint),
    });
  }

  /** Resolves when it is ready. */
  start(): Promise<void> {
    return this.supervised.start();
  }

  get pid(): number {
    const { pid } = this.supervised;
    if (pid === undefined) throw new Error(`${this.name} is between two lives`);
    return pid;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Sets variables from the next life on; undefined takes one away. */
  setEnv(env: Readonly<Record<string, string | undefined>>): void {
    Object.assign(this.env, env);
  }

  /** Ends this life with a signal and resolves when the next one is ready. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    const deaths = this.deaths.length;
    this.signal(signal);
    await waitUntil(`${this.name} is ready again`, () => this.deaths.length > deaths && this.isReady);
  }

  /**
   * Ends it in order, and then kills its next lives one after another, each at a named point, as CRASH_AT takes them.
   * Resolves when all have died there and the one after them is ready.
   */
  async crashAt(points: readonly string[]): Promise<void> {
    const before = this.deaths.length;
    this.crashes.push(...points);
    this.signal('SIGTERM');
    for (const [index, point] of points.entries()) {
      await waitUntil(`${this.name} dies at ${point}`, () => this.deaths.length >= before + index + 2);
      const how = this.deaths[before + index + 1];
      if (how !== 'signal SIGKILL') throw new Error(`${this.name} was to die at ${point}, but ended with ${how}`);
    }
    await waitUntil(`${this.name} is ready again`, () => this.isReady);
  }

  /** Lets its next life know of a named point to die at; `crashAt` and `freezeAt` do so themselves. */
  arm(point: string): void {
    this.crashes.push(point);
  }

  /** Makes it stand still at a named point of its next life; resolves when it does. */
  async freezeAt(point: string): Promise<void> {
    this.crashes.push(`${point}:SIGSTOP`);
    this.signal('SIGTERM');
    await waitUntil(`${this.name} stands still at ${point}`, () => this.env['CRASH_AT'] !== undefined && this.isFrozen);
    this.env['CRASH_AT'] = undefined;
  }

  /** Stops it until `startAgain`; SIGTERM with the usual grace. */
  async stop(): Promise<void> {
    await this.supervised.stop();
    this.isReady = false;
  }

  async startAgain(): Promise<void> {
    this.supervised = this.supervise();
    await this.supervised.start();
  }

  async close(): Promise<void> {
    await this.supervised.stop();
    await Promise.all([this.kafka.close(), this.redis.close(), this.s3.close()]);
  }

  /** Sum of the samples of a metric whose labels hold these; 0 when there is none, or the process is not there. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const url = this.supervised.metricsUrl;
    if (url === undefined) return 0;
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const samples = (await answer?.text().catch(() => ''))?.split('\n') ?? [];
    return samples
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Failures of this life by code of docs/errors.md. */
  errors(code: string): Promise<number> {
    return this.metric(`spanloom_${this.service.replaceAll('-', '_')}_errors_total`, { code });
  }

  dropped(reason: string): Promise<number> {
    return this.metric(`spanloom_${this.service.replaceAll('-', '_')}_dropped_total`, { reason });
  }

  /** Lines that it has logged in all its lives. */
  log(): string[] {
    return readFileSync(path.join(this.options.logFolder, `${this.name}.log`), 'utf8').split('\n');
  }

  private get isFrozen(): boolean {
    const { pid } = this.supervised;
    if (pid === undefined) return false;
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)]).toString();
    return state.startsWith('T');
  }

  private supervise(): SupervisedProcess {
    const main = path.join(import.meta.dirname, '../../../cli/main.ts');
    const { service, name } = this;
    const args = [...SERVICE_NODE_FLAGS, main, 'service', service];
    return new SupervisedProcess(
      { name, command: process.execPath, args, env: this.env },
      {
        logFolder: this.options.logFolder,
        onEvent: (event) => this.see(event),
        restartDelayMs: { first: 100, max: 200 },
      },
    );
  }

  private see(event: ProcessEvent): void {
    this.isReady = event.kind === 'ready';
    if (event.kind !== 'exited') return;
    this.deaths.push(event.how);
    this.env['CRASH_AT'] = this.crashes.shift();
  }
}
