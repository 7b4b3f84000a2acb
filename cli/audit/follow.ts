import { describeError, SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { pause } from '../../lib/runtime/pause.ts';
import type { ServiceContext, ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { type AuditMetrics, auditMetrics } from './audit-metrics.ts';
import { settings } from './config.ts';
import type { AuditOptions } from './context.ts';
import { extentsBetween } from './extents-between.ts';
import { isClean, type StageFindings } from './findings.ts';
import { runAudit } from './run-audit.ts';

type Context = ServiceContext<(typeof settings)['settings']>;

/** What an audit needs besides the settings of the service; `close` gives its clients back. */
export type AuditSources = Omit<AuditOptions, 'keysMax' | 'onProgress'> & { close(): Promise<void> };

/**
 * The audit as a service: round after round, each judges what has become due since the one before, and says what it
 * found as metrics and in the log. It only reads, and any number of it may run.
 */
export function followService(
  connect: (context: Context) => AuditSources,
): ServiceDefinition<(typeof settings)['settings']> {
  return {
    name: 'audit',
    settings,
    async start(context) {
      const sources = connect(context);
      context.onClose(() => sources.close());
      const fromMs = context.clock.wallMs() - context.settings.AUDIT_LOOKBACK_MS;
      const options = { ...sources, keysMax: context.settings.AUDIT_KEYS_MAX, isRound: true, onProgress: () => {} };
      const extents = await extentsBetween(options, fromMs, undefined);
      const rounds = new Rounds(context, { ...options, extents });
      const running = rounds.run();
      return {
        ready: () => rounds.hasEnded || 'the first round is under way',
        stop: () => running,
      };
    },
  };
}

class Rounds {
  private readonly context: Context;
  private readonly metrics: AuditMetrics;
  private options: AuditOptions;
  /** A round went through. */
  hasEnded = false;

  constructor(context: Context, options: AuditOptions) {
    this.context = context;
    this.metrics = auditMetrics(context.metrics);
    this.options = options;
  }

  async run(): Promise<void> {
    const { stopping, settings: values } = this.context;
    while (!stopping.aborted) {
      await this.round();
      await pause(values.AUDIT_INTERVAL_MS, stopping);
    }
  }

  private async round(): Promise<void> {
    const { clock, logger, metrics } = this.context;
    const startedMs = clock.monotonicMs();
    try {
      const { stages, next } = await runAudit(this.options);
      this.options = { ...this.options, extents: next };
      this.metrics.round(stages, (clock.monotonicMs() - startedMs) / 1_000, clock.wallMs());
      this.hasEnded = true;
      this.tell(stages);
    } catch (error) {
      // The next round begins where this one did.
      this.metrics.failed();
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
      logger.warn('a round of the audit was cut short', { error: describeError(error) });
    }
  }

  private tell(stages: readonly StageFindings[]): void {
    const { logger } = this.context;
    const matched = Object.fromEntries(stages.map((stage) => [stage.stage, stage.matched]));
    const open = Object.fromEntries(stages.map((stage) => [stage.stage, stage.open]));
    if (isClean(stages)) logger.info('clean', { matched, open });
    for (const { stage, examples, skipped } of stages) {
      if (skipped !== null) logger.error('a stage was not audited', { stage, why: skipped });
      for (const { kind, at, detail } of examples) logger.error(`${kind} in ${stage}`, { at, detail });
    }
  }
}
