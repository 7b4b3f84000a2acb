import { mkdirSync } from 'node:fs';
import type { ServiceName } from '../services.ts';
import { serviceSpec } from './service-spec.ts';
import { type ProcessEvent, type ProcessOptions, type ProcessSpec, SupervisedProcess } from './supervised-process.ts';

export interface SupervisorOptions {
  /** Processes per service; a service that is absent or 0 is not run. */
  readonly scale: ReadonlyMap<ServiceName, number>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFolder: string;
  readonly onEvent: (event: ProcessEvent) => void;
  /** Tests put stand-ins here. */
  readonly specOf?: (service: ServiceName, env: ProcessSpec['env']) => Pick<ProcessSpec, 'command' | 'args' | 'env'>;
  readonly processes?: Pick<ProcessOptions, 'restartDelayMs' | 'drainMsMax' | 'readyMsMax'>;
}

/** Runs each service in processes of its own, restarts those that die, and stops them all together. */
export class Supervisor {
  private readonly processes: SupervisedProcess[] = [];

  constructor(options: SupervisorOptions) {
    mkdirSync(options.logFolder, { recursive: true });
    const specOf = options.specOf ?? serviceSpec;
    for (const [service, count] of options.scale) {
      for (let i = 1; i <= count; i++) {
        const name = count === 1 ? service : `${service}-${i}`;
        this.processes.push(
          new SupervisedProcess(
            { name, ...specOf(service, options.env) },
            { logFolder: options.logFolder, onEvent: options.onEvent, ...options.processes },
          ),
        );
      }
    }
  }

  /**
   * Resolves when every process is ready.
   * @param signal when aborted, the processes are stopped and the start fails.
   * @throws SpanloomError SERVICE_FAILED when one will not start; the others are stopped first.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const stop = () => void this.stop();
    signal?.addEventListener('abort', stop);
    try {
      await Promise.all(this.processes.map((process) => process.start()));
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Metrics address by process name. */
  metrics(): Record<string, string> {
    return Object.fromEntries(this.processes.map(({ name, metricsUrl }) => [name, metricsUrl ?? '']));
  }

  /** URL by door of the collector, when it runs. */
  get collector(): Readonly<Record<string, string>> | undefined {
    return this.processes.find(({ collectorUrls }) => collectorUrls !== undefined)?.collectorUrls;
  }

  /** Address of the console's page, when it runs. */
  get console(): string | undefined {
    return this.processes.find(({ consoleUrl }) => consoleUrl !== undefined)?.consoleUrl;
  }

  /** Process id by process name; those between two lives are left out. */
  pids(): Record<string, number> {
    const running = this.processes.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, pid] as const]));
    return Object.fromEntries(running);
  }

  get restarts(): number {
    return this.processes.reduce((sum, process) => sum + process.restarts, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
  }
}
