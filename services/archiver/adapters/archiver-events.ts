import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { ArchiverEvents } from '../ports.ts';

/** What the archiver tells, as metrics and log lines. */
export function archiverEvents(metrics: Metrics, logger: Logger, topic: string, clock: Clock): ArchiverEvents {
  const ranges = metrics.counter('ranges_total', 'Ranges written, by why they were cut.', ['why']);
  const generation = metrics.gauge('generation', 'Generation of the chain.', ['partition']);
  return {
    opened(partition, current, position) {
      generation.set({ partition }, current);
      logger.info('partition opened', { partition, generation: current, position });
    },
    newGeneration(partition, current, why) {
      logger.error('the archive holds the chain of another log; a new generation begins', {
        partition,
        generation: current,
        why,
      });
    },
    gap(partition, from, to) {
      metrics.dropped('offsets_lost', to - from);
      logger.error('input offsets are gone before they were archived', { partition, from, to, offsets: to - from });
    },
    lost(partition, first, keys) {
      metrics.dropped('objects_lost', keys.length);
      logger.error('objects of the chain can no longer be made; their offsets are gone', { partition, first, keys });
    },
    unindexed(partition, key, error) {
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED', 1);
      logger.warn('an object of traces is in no index of trace ids', { partition, key, error: describeError(error) });
    },
    written(entry, why, bytes) {
      ranges.inc({ why });
      metrics.received(entry.records, 'records');
      metrics.sent('objects', entry.objects.length);
      metrics.sent('bytes', bytes);
      for (const { dataset, rows } of entry.objects) metrics.sent(dataset, rows);
      metrics.dropped('foreign_record', entry.refused);
      const { partition, first, end, refused, objects } = entry;
      logger.info('range archived', { partition, first, end, why, objects: objects.length, bytes });
      if (refused > 0)
        logger.warn('records that no trace-assembler wrote are not archived', { partition, first, refused });
    },
    progress(partition, _position, lagRecords, newestAppendMs) {
      const behindMs = lagRecords === 0 || newestAppendMs === 0 ? 0 : Math.max(0, clock.wallMs() - newestAppendMs);
      metrics.lag(topic, partition, lagRecords, behindMs / 1000);
    },
    failed(partition, error, retryInMs) {
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED', 1);
      const stack = error instanceof SpanloomError ? undefined : (error as Error | undefined)?.stack;
      logger.warn('partition begins again', { partition, error: describeError(error), retryInMs, stack });
    },
    stopped(partition) {
      metrics.lagGone(topic, partition);
      logger.info('partition stopped', { partition });
    },
  };
}
