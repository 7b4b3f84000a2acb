import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { AlerterEvents } from '../ports.ts';

/** What the alerter tells, as metrics and log lines. */
export function alerterEvents(metrics: Metrics, logger: Logger, edgesTopic: string): AlerterEvents {
  const active = metrics.gauge('active', '1 in the process that is at work, 0 in those that stand by.');
  const subjects = metrics.gauge('subjects', 'Edges, services and entry operations that are watched.');
  const openAlerts = metrics.gauge('open_alerts', 'Subjects whose error rate is risen.');
  const openIncidents = metrics.gauge('open_incidents', 'Incidents that are not over.');
  const announced = metrics.counter('announcements_total', 'Records written to the incidents topic.', ['state']);
  active.set(0);
  return {
    started(restored, nextOffsets) {
      active.set(1);
      logger.info('alerter at work', { restored, nextOffsets });
    },
    applied(outcome) {
      if (outcome !== 'applied') metrics.dropped(outcome, 1);
    },
    refused(partition, offset, why) {
      metrics.dropped('foreign_record', 1);
      logger.warn('a record that no graph-builder wrote was refused', { partition, offset, why });
    },
    gap(partition, from, to) {
      metrics.dropped('offsets_lost', to - from);
      logger.error('input offsets are gone before they were read', { partition, from, to, offsets: to - from });
    },
    committed(incidents, records, figures) {
      metrics.received(records, 'records');
      metrics.sent('incidents', incidents.length);
      subjects.set(figures.subjects);
      openAlerts.set(figures.openAlerts);
      openIncidents.set(figures.activeIncidents);
      for (const { incidentId, seq, state, summary } of incidents) {
        announced.inc({ state });
        logger.info('incident', { incidentId, seq, state, summary });
      }
    },
    lag: (partition, records, seconds) => metrics.lag(edgesTopic, partition, records, seconds),
    failed(error, retryInMs) {
      active.set(0);
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED', 1);
      const stack = error instanceof SpanloomError ? undefined : (error as Error | undefined)?.stack;
      logger.warn('alerter begins again', { error: describeError(error), retryInMs, stack });
    },
    stopped() {
      active.set(0);
      logger.info('alerter stands by');
    },
  };
}
