import { auditMetrics } from '../../cli/audit/audit-metrics.ts';
import { createLogger } from '../../lib/observability/logger.ts';
import { COMMON_METRICS, createMetrics, type Metrics } from '../../lib/observability/metrics.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { alerterEvents } from '../../services/alerter/adapters/alerter-events.ts';
import { archiverEvents } from '../../services/archiver/adapters/archiver-events.ts';
import { collectorMetrics } from '../../services/collector/adapters/collector-metrics.ts';
import { createDestinationEvents } from '../../services/forwarder/adapters/destination-events.ts';
import { graphMetrics } from '../../services/graph-builder/adapters/graph-metrics.ts';
import { createSinkEvents } from '../../services/notifier/adapters/sink-events.ts';
import { routerMetrics } from '../../services/span-router/adapters/router-metrics.ts';
import { assemblerEvents } from '../../services/trace-assembler/adapters/assembler-events.ts';
import { GENERATED, table } from './markdown.ts';

const logger = createLogger({ service: 'docs', level: 'error', format: 'json' });

/** What each service registers, by registering it. */
const REGISTER: Readonly<Record<string, (metrics: Metrics) => unknown>> = {
  collector: (metrics) => collectorMetrics(metrics, () => 0),
  'span-router': routerMetrics,
  'trace-assembler': (metrics) => assemblerEvents(metrics, logger),
  'graph-builder': (metrics) => graphMetrics(metrics, { seriesMax: 1, staleMs: 1, clock: systemClock }),
  alerter: (metrics) => alerterEvents(metrics, logger, 'spanloom.service-edges'),
  notifier: (metrics) => createSinkEvents(metrics, logger, 'spanloom.incidents'),
  archiver: (metrics) => archiverEvents(metrics, logger, 'spanloom.traces', systemClock),
  forwarder: (metrics) => createDestinationEvents(metrics, logger),
  audit: auditMetrics,
};

export async function metricsPage(): Promise<string> {
  const sections: string[] = [];
  const process = await rowsOf(createMetrics('x'), (name) => !name.startsWith('spanloom_'));
  for (const [service, register] of Object.entries(REGISTER)) {
    const metrics = createMetrics(service);
    const before = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
    register(metrics);
    const rows = await rowsOf(metrics, (name) => !before.has(name));
    sections.push(`## ${service}\n\n${table(['metric', 'kind', 'meaning'], rows)}`);
  }
  const common = Object.entries(COMMON_METRICS).map(([name, { kind, help, labels }]) => [
    `\`spanloom_<service>_${name}\``,
    kind,
    `${help} Labels: ${labels.join(', ')}.`,
  ]);
  return `# Metrics

${GENERATED}

Every service answers \`/metrics\` in Prometheus' format on METRICS_PORT, which it prints at its start. Dashes in a service's name are underscores.

## every service

${table(['metric', 'kind', 'meaning'], common)}
## process

${table(['metric', 'kind', 'meaning'], process)}
${sections.join('\n')}`;
}

async function rowsOf(metrics: Metrics, isWanted: (name: string) => boolean): Promise<string[][]> {
  const all = await metrics.registry.getMetricsAsJSON();
  return all
    .filter(({ name }) => isWanted(name))
    .map(({ name, type, help }) => [`\`${name}\``, String(type), help])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}
