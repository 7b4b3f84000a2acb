import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import { ByteBudget } from '../core/byte-budget.ts';
import { GroupCommit, type SendRecords } from '../core/group-commit.ts';
import type { Intake } from '../ports.ts';
import { collectorMetrics } from './collector-metrics.ts';

export interface KafkaIntakeOptions {
  readonly send: SendRecords;
  readonly recordBytesMax: number;
  readonly heldBytesMax: number;
  /** How long a request waits for Kafka. */
  readonly ackTimeoutMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface KafkaIntake extends Intake {
  /** False for a while after Kafka did not take something: not for ever, as what is unready may be given nothing more. */
  readonly isTaking: boolean;
  /** Resolves when everything given has its answer. */
  idle(): Promise<void>;
}

/** What the doors take in, on its way to Kafka. */
export function kafkaIntake(options: KafkaIntakeOptions): KafkaIntake {
  const { metrics, logger, recordBytesMax, ackTimeoutMs } = options;
  const budget = new ByteBudget(options.heldBytesMax);
  const commits = new GroupCommit(options.send, recordBytesMax);
  let failedAtMs = Number.NEGATIVE_INFINITY;
  const isTaking = () => performance.now() - failedAtMs > UNREADY_MS;
  const give = async (records: readonly Buffer[]): Promise<boolean> => {
    const pending = commits.add(records);
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(timeoutError(ackTimeoutMs)), ackTimeoutMs);
    try {
      await Promise.race([pending.done, timer.promise]);
      metrics.sent('records', records.length);
      failedAtMs = Number.NEGATIVE_INFINITY;
      return true;
    } catch (error) {
      pending.withdraw();
      // What fails after its time is up has been reported.
      pending.done.catch(() => {});
      metrics.errors(error instanceof SpanloomError ? error.code : 'PRODUCE_FAILED');
      if (isTaking())
        logger.warn('Kafka does not take spans; clients are told to try again', { error: describeError(error) });
      failedAtMs = performance.now();
      return false;
    } finally {
      clearTimeout(timeout);
    }
  };
  return {
    recordBytesMax,
    give,
    tryHold: (bytes) => budget.tryTake(bytes),
    release: (bytes) => budget.give(bytes),
    report: collectorMetrics(metrics, () => budget.bytes),
    get isTaking() {
      return isTaking();
    },
    idle: () => commits.idle(),
  };
}

function timeoutError(ms: number): SpanloomError {
  return new SpanloomError('PRODUCE_TIMEOUT', `Kafka has not acknowledged within ${ms} ms`, { retryable: true });
}

const UNREADY_MS = 10_000;
