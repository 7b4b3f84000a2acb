import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { TopicNames } from '../../../lib/topics/topics.ts';
import type { Stores } from './open-stores.ts';
import type { SinkEvents } from './sinks.ts';
import { type FeedEvents, feedError } from './topic-feed.ts';

/** What the console tells, as metrics and log lines. */
export function consoleEvents(metrics: Metrics, logger: Logger, topics: TopicNames, stores: Stores) {
  const requests = metrics.histogram('request_seconds', 'Time to an answer, by route and status.', {
    labels: ['route', 'status'],
  });
  gaugesOf(metrics, stores);
  const sink: SinkEvents = {
    received: (what, count) => metrics.received(count, what),
    dropped: (reason, count) => metrics.dropped(reason, count),
    refused: (topic, partition, offset, why) =>
      logger.warn('a record that Spanloom did not write was passed over', { topic, partition, offset, why }),
  };
  const isFailing = new Set<string>();
  return {
    sink,
    feed: (topic: string): Pick<FeedEvents, 'lag' | 'gap'> => ({
      lag: (partition, records) => metrics.lag(topic, partition, records, 0),
      gap(partition, from, to) {
        metrics.dropped('offsets_lost', Math.max(0, to - from));
        logger.warn('records are gone before they were read', { topic, partition, from, to });
      },
    }),
    /** @returns what to tell people; undefined when all is well. */
    feedFailed(topic: string, error: unknown): string | undefined {
      if (error === undefined) {
        if (isFailing.delete(topic)) logger.info('Kafka is read again', { topic });
        return undefined;
      }
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
      if (!isFailing.has(topic)) logger.warn('Kafka cannot be read', { topic, error });
      isFailing.add(topic);
      return feedError(error);
    },
    answered: (route: string, status: number, seconds: number): void => {
      requests.observe({ route, status: String(status) }, seconds);
    },
    answerFailed(route: string, error: unknown): void {
      metrics.errors(error instanceof SpanloomError ? error.code : 'UNEXPECTED');
      logger.error('a request failed', { route, error });
    },
    topics,
  };
}

function gaugesOf(metrics: Metrics, { hot, graph, incidents }: Stores): void {
  const traces = metrics.gauge('hot_traces', 'Traces in the hot store.');
  const bytes = metrics.gauge('hot_bytes', 'Bytes of the hot store.');
  const edges = metrics.gauge('graph_edges', 'Edges that the graph knows.');
  const known = metrics.gauge('incidents', 'Incidents that are kept.');
  // Asked for when somebody scrapes.
  const collect = traces as unknown as { collect: () => void };
  collect.collect = () => {
    const figures = hot.figures;
    traces.set(figures.traces);
    bytes.set(figures.bytes);
    edges.set(graph.edgeCount);
    known.set(incidents.all.size);
  };
}
