import { ConfigError, EXIT_SETTINGS } from '../config/config-error.ts';
import { type Declared, describeChanges, readSettings, type Settings, type ValuesOf } from '../config/settings.ts';
import { describeError, isRetryable, SpanloomError } from '../errors/spanloom-error.ts';
import { createLogger, type LogFormat, type Logger, type LogLevel } from '../observability/logger.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { openMetricsText } from '../observability/open-metrics.ts';
import { Backoff } from './backoff.ts';
import { Cleanups } from './cleanups.ts';
import { type Clock, systemClock } from './clock.ts';
import { pause } from './pause.ts';
import { openStatusServer, type StatusServer } from './status-server.ts';

/** Settings that every service declares (commonSettings of lib/config/common.ts). */
type RuntimeSettings = {
  readonly LOG_LEVEL: LogLevel;
  readonly LOG_FORMAT: LogFormat;
  readonly METRICS_PORT: number;
  readonly METRICS_HOST: string;
};

export interface ServiceDefinition<S extends Settings> {
  /** e.g. `trace-assembler`: heads its metrics, stands in its log. */
  readonly name: string;
  readonly settings: Declared<S> & (ValuesOf<S> extends RuntimeSettings ? unknown : never);
  /**
   * Connects and begins to work. Called again with a growing pause while it throws retryable errors; what a failed try
   * opened must have been given to `onClose`.
   */
  start(context: ServiceContext<S>): Promise<RunningService>;
}

export interface ServiceContext<S extends Settings> {
  readonly settings: ValuesOf<S>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Aborted when the process was asked to stop. */
  readonly stopping: AbortSignal;
  /** Has `close` called after `stop`, or after a failed `start`; the last one given is closed first. */
  onClose(close: () => Promise<unknown> | unknown): void;
  /** The service cannot go on: says why, drains, and ends the process with 1, so that it is started anew. */
  fail(error: unknown): void;
}

export interface RunningService {
  /** Finishes what is begun and hands over the rest, within 10 s. */
  stop(): Promise<void>;
  /** True when it does its work, else a sentence that says what it waits for. */
  ready(): boolean | string;
}

/**
 * The life of a service process: settings, log, metrics and health endpoints, start with back-off, drain on SIGTERM or
 * SIGINT. It ends the process:
 *
 *   0   asked to stop, and drained            70  a defect: an error that nobody expected
 *   1   the drain failed or took too long,    78  wrong settings, or something outside that
 *       was cut short, or `fail` was called       only a person can put right
 *
 * Once it listens it prints one line of JSON to stdout, `{"service":…,"metrics":"http://…/metrics"}`.
 */
export async function runService<S extends Settings>(service: ServiceDefinition<S>): Promise<never> {
  const settings = settingsOrExit(service);
  const { LOG_LEVEL: level, LOG_FORMAT: format } = settings as RuntimeSettings;
  const logger = createLogger({ service: service.name, level, format });
  exitOnSurprises(logger);
  const metrics = createMetrics(service.name);
  const life: Life = { readiness: () => 'starting', stopping: new AbortController(), cleanups: new Cleanups(logger) };

  const status = await openStatus(settings as RuntimeSettings, metrics, logger, () => life.readiness());
  process.stdout.write(`${JSON.stringify({ service: service.name, metrics: `${status.url}/metrics` })}\n`);
  logger.info('listening', { metrics: `${status.url}/metrics`, changed: describeChanges(service.settings, settings) });
  if (!isLoopback(status.host))
    logger.warn('metrics are open to the network; they need no login', { host: status.host });
  if (process.env['CRASH_AT']) logger.warn('this process kills itself on purpose', { at: process.env['CRASH_AT'] });

  const asked = askedToStop(life, logger);
  const context: ServiceContext<S> = {
    settings,
    logger,
    metrics,
    clock: systemClock,
    stopping: life.stopping.signal,
    onClose: (close) => life.cleanups.add(close),
    fail: asked.fail,
  };
  const started = startWithBackoff(service, context, life);
  const { exitCode } = await asked.reason;
  life.readiness = () => 'stopping';
  const clean = await within(DRAIN_MS_MAX, async () => {
    // A start that is under way sees `stopping`. One that waits for a server need not be waited for: it holds nothing yet.
    const running = await Promise.race([started, systemClock.sleep(START_WAIT_MS_MAX)]);
    await running?.stop();
    await life.cleanups.run();
    await status.close();
  }).catch((error: unknown) => {
    logger.error('stopped without finishing', { error });
    return false;
  });
  if (clean) logger.info('stopped');
  return process.exit(clean ? exitCode : 1);
}

interface Life {
  readiness: () => boolean | string;
  readonly stopping: AbortController;
  readonly cleanups: Cleanups;
}

function settingsOrExit<S extends Settings>(service: ServiceDefinition<S>): ValuesOf<S> {
  try {
    return readSettings(service.settings, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Which format was asked for may be among the mistakes.
    const format = (['json', 'pretty'] as const).find((known) => known === process.env['LOG_FORMAT']);
    const logger = createLogger({ service: service.name, format });
    for (const mistake of error.mistakes) logger.error(mistake, { code: error.code });
    return process.exit(EXIT_SETTINGS);
  }
}

async function openStatus(
  settings: RuntimeSettings,
  metrics: Metrics,
  logger: Logger,
  ready: () => boolean | string,
): Promise<StatusServer> {
  try {
    return await openStatusServer({
      host: settings.METRICS_HOST,
      port: settings.METRICS_PORT,
      metrics: (format) => (format === 'openmetrics' ? openMetricsText(metrics.registry) : metrics.registry.metrics()),
      ready,
    });
  } catch (error) {
    logger.error('cannot listen', { error });
    return process.exit(EXIT_SETTINGS);
  }
}

async function startWithBackoff<S extends Settings>(
  service: ServiceDefinition<S>,
  context: ServiceContext<S>,
  life: Life,
): Promise<RunningService | undefined> {
  const { logger, metrics } = context;
  const backoff = new Backoff({ firstMs: 250, maxMs: 10_000 });
  while (!life.stopping.signal.aborted) {
    try {
      const running = await service.start(context);
      life.readiness = () => running.ready();
      logger.info('started');
      return running;
    } catch (error) {
      await life.cleanups.run();
      if (life.stopping.signal.aborted) break;
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
      if (!isRetryable(error)) exitUnstartable(error, logger);
      const waitMs = backoff.nextMs();
      life.readiness = () => `starting: ${describeError(error)}`;
      logger.warn('cannot start yet', { error, retryInMs: waitMs });
      await pause(waitMs, life.stopping.signal);
    }
  }
  return undefined;
}

function exitUnstartable(error: unknown, logger: Logger): never {
  if (error instanceof ConfigError) {
    for (const mistake of error.mistakes) logger.error(mistake, { code: error.code });
  } else {
    logger.error('cannot start', { error });
  }
  process.exit(error instanceof SpanloomError ? EXIT_SETTINGS : EXIT_DEFECT);
}

/** Resolves once, with what to exit with; a second signal ends the process at once. */
function askedToStop(
  life: Life,
  logger: Logger,
): { reason: Promise<{ exitCode: number }>; fail: (e: unknown) => void } {
  const { promise: reason, resolve } = Promise.withResolvers<{ exitCode: number }>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++;
    if (signals > 1) {
      logger.error('stopped at once by a second signal', { signal });
      process.exit(1);
    }
    logger.info('stopping', { signal });
    life.stopping.abort();
    resolve({ exitCode: 0 });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  const fail = (error: unknown): void => {
    logger.error('cannot go on', { error });
    life.stopping.abort();
    resolve({ exitCode: 1 });
  };
  return { reason, fail };
}

function exitOnSurprises(logger: Logger): void {
  const exit = (error: unknown): never => {
    logger.error('ended by an error that nobody expected', {
      error: error instanceof Error ? error : new Error(String(error)),
    });
    process.exit(EXIT_DEFECT);
  };
  process.on('uncaughtException', exit);
  process.on('unhandledRejection', exit);
  // Whoever read our output may have gone; that alone is no reason to end.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

/** True when `work` ended in time; throws what it threw. */
async function within(ms: number, work: () => Promise<void>): Promise<boolean> {
  const late = new SpanloomError('DRAIN_TIMEOUT', `The drain took longer than ${ms} ms`);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ms);
  });
  try {
    await Promise.race([work(), deadline]);
    return true;
  } finally {
    clearTimeout(timer);
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

const EXIT_DEFECT = 70;
/** Supervisors kill after 10 s; a little earlier the process can still say what did not finish. */
const DRAIN_MS_MAX = 9_500;
/** How long a stop waits for a start that is under way. */
const START_WAIT_MS_MAX = 2_000;
