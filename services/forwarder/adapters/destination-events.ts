import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import { spansOf } from '../core/batch.ts';
import type { CircuitState } from '../core/circuit.ts';
import type { DestinationEvents } from '../ports.ts';

/** What the workers of all destinations tell, as metrics and log lines. Never an address or a header: they hold secrets. */
export function createDestinationEvents(metrics: Metrics, logger: Logger): (destination: string) => DestinationEvents {
  const labels = ['destination'] as const;
  const traces = metrics.counter('delivered_traces_total', 'Trace records that a destination took.', labels);
  const requests = metrics.counter('requests_total', 'Requests by what came of them: delivered, or failed.', [
    ...labels,
    'outcome',
  ]);
  const seconds = metrics.histogram('request_seconds', 'Time that a destination took to take a batch.', { labels });
  const rejected = metrics.counter(
    'rejected_spans_total',
    'Spans that a destination took in and then refused.',
    labels,
  );
  const letters = metrics.counter('dead_letters_total', 'Traces that were given up, by reason.', [...labels, 'reason']);
  const circuit = metrics.gauge('circuit', '1 for the state that the circuit is in: closed, half_open, open.', [
    ...labels,
    'state',
  ]);
  const lagRecords = metrics.gauge('destination_lag_records', 'Trace records that a destination has not taken yet.', [
    ...labels,
    'partition',
  ]);
  const lagSeconds = metrics.gauge('destination_lag_seconds', 'Seconds that a destination is behind; 0: caught up.', [
    ...labels,
    'partition',
  ]);
  const sampled = metrics.counter(
    'sampled_traces_total',
    'Trace records by the rule that fitted them: kept, or dropped.',
    [...labels, 'rule', 'decision'],
  );
  return (destination) => {
    let state: CircuitState | undefined;
    const tell = (next: CircuitState): void => {
      if (next === state) return;
      for (const each of STATES) circuit.set({ destination, state: each }, each === next ? 1 : 0);
      if (next === 'open') logger.error('destination is down; it is asked now and then', { destination });
      if (next === 'closed' && state !== undefined) logger.info('destination is up again', { destination });
      state = next;
    };
    tell('closed');
    return {
      started: (partition, offset) => logger.info('destination at work', { destination, partition, offset }),
      received: (records) => metrics.received(records),
      foreignRecord(partition, offset, why) {
        metrics.dropped('foreign_record', 1);
        logger.warn('a record that no assembler wrote was passed over', { destination, partition, offset, why });
      },
      sampled: (rule, kept) => sampled.inc({ destination, rule, decision: kept ? 'kept' : 'dropped' }),
      delivered(batch, tookMs) {
        traces.inc({ destination }, batch.length);
        requests.inc({ destination, outcome: 'delivered' });
        seconds.observe({ destination }, tookMs / 1000);
        metrics.sent(destination, spansOf(batch));
      },
      rejectedSpans(spans, why) {
        rejected.inc({ destination }, spans);
        logger.warn('destination rejected some spans of a batch', { destination, spans, why });
      },
      failed(why, next, waitMs) {
        requests.inc({ destination, outcome: 'failed' });
        logger.warn('destination did not take a batch', { destination, why, next, waitMs });
      },
      buried(given) {
        for (const { reason, code } of given) {
          letters.inc({ destination, reason });
          metrics.errors(code);
        }
        logger.error('traces were given up; they are dead letters', { destination, traces: given.length });
      },
      circuit: tell,
      gap(partition, from, to) {
        metrics.dropped('offsets_lost', to - from);
        logger.error('traces were deleted before the destination took them', { destination, partition, from, to });
      },
      lag(partition, records, lag) {
        lagRecords.set({ destination, partition }, records);
        lagSeconds.set({ destination, partition }, lag);
      },
      broken(partition, error, retryInMs) {
        metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
        logger.warn('destination begins again', { destination, partition, error: describeError(error), retryInMs });
      },
      stopped(partition) {
        lagRecords.remove({ destination, partition });
        lagSeconds.remove({ destination, partition });
      },
    };
  };
}

const STATES: readonly CircuitState[] = ['closed', 'half_open', 'open'];
