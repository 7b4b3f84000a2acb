import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { SinkEvents } from '../ports.ts';

/** What the workers of all sinks tell, as metrics and log lines. Never a URL: that of a chat is a secret. */
export function createSinkEvents(metrics: Metrics, logger: Logger, topic: string): (sink: string) => SinkEvents {
  const active = metrics.gauge('active', '1 for the sinks that this process tells, 0 where it stands by.', ['sink']);
  const delivered = metrics.counter('delivered_total', 'Requests that a sink took.', ['sink']);
  const failed = metrics.counter('failed_attempts_total', 'Requests that are tried again.', ['sink']);
  const failing = metrics.gauge('failing', '1 while the last request to a sink failed.', ['sink']);
  const seconds = metrics.histogram('request_seconds', 'Time that a sink took to answer.', { labels: ['sink'] });
  const lagRecords = metrics.gauge('sink_lag_records', 'Announcements that a sink has not been told of yet.', ['sink']);
  return (sink) => {
    active.set({ sink }, 0);
    failing.set({ sink }, 0);
    return {
      started(known, offset) {
        active.set({ sink }, 1);
        logger.info('sink at work', { sink, known, offset });
      },
      received: (announcements) => metrics.received(announcements, 'announcements'),
      foreignRecord(offset, why) {
        metrics.dropped('foreign_record', 1);
        logger.warn('a record that no alerter wrote was passed over', { sink, offset, why });
      },
      delivered({ incidents }, tookMs) {
        delivered.inc({ sink });
        failing.set({ sink }, 0);
        seconds.observe({ sink }, tookMs / 1000);
        metrics.sent(sink, incidents);
      },
      failed(why, retryInMs) {
        failed.inc({ sink });
        failing.set({ sink }, 1);
        logger.warn('sink was not told; it is tried again', { sink, why, retryInMs });
      },
      refused(why) {
        failing.set({ sink }, 1);
        metrics.errors('NOTIFY_REFUSED');
        logger.error('sink refuses what it is told', { sink, why });
      },
      tooOld(announcements) {
        metrics.dropped('too_old', announcements.length);
        metrics.errors('NOTIFY_TOO_OLD', announcements.length);
        logger.error('announcements were given up for their age', { sink, announcements: announcements.length });
      },
      gap(from, to) {
        logger.warn('the position of the sink is not in the topic any more', { sink, topic, from, to });
      },
      lag(records, lagSeconds) {
        lagRecords.set({ sink }, records);
        metrics.lag(topic, 0, records, lagSeconds);
      },
      broken(error, retryInMs) {
        active.set({ sink }, 0);
        metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
        logger.warn('sink begins again', { sink, error: describeError(error), retryInMs });
      },
      stopped() {
        active.set({ sink }, 0);
        logger.info('sink stands by', { sink });
      },
    };
  };
}
