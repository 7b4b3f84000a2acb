import { readFileSync } from 'node:fs';
import path from 'node:path';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { tokenCheck } from '../../lib/http/token-check.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { createLogs } from '../../lib/kafka/partition-log.ts';
import { ownersOf } from '../../lib/owners/owner-settings.ts';
import { Ownership } from '../../lib/owners/ownership.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { consoleEvents } from './adapters/console-events.ts';
import { ConsoleHealth } from './adapters/console-health.ts';
import { GraphQueries } from './adapters/graph-queries.ts';
import { allRoutes } from './adapters/http/all-routes.ts';
import { EventStream } from './adapters/http/event-stream.ts';
import { openHttpServer } from './adapters/http/http-server.ts';
import { openStaticPage } from './adapters/http/static-page.ts';
import { openStores } from './adapters/open-stores.ts';
import { graphSink, incidentSink, traceSink } from './adapters/sinks.ts';
import { type FeedSink, TopicFeed } from './adapters/topic-feed.ts';
import { farReaders, nearReaders } from './adapters/trace-readers.ts';
import { TraceSources } from './adapters/trace-sources.ts';
import { type ConsoleSettings, settings } from './config.ts';
import { incidentSummary } from './core/incidents/incident-view.ts';
import { Teams } from './core/teams.ts';

export { settings } from './config.ts';

const SERVICE = 'console';

/** Runs the console until it is told to stop. */
export async function main(): Promise<void> {
  await runService(consoleService);
}

export const consoleService: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock, onClose, fail }) {
    const values: ConsoleSettings = read;
    const stores = openStores(values, onClose);
    const { hot, graph: graphStore, incidents, people } = stores;
    const topics = topicNames(values.SPANLOOM_PREFIX);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const logs = createLogs(kafka);
    const events = consoleEvents(metrics, logger, topics, stores);
    const stream = new EventStream();
    const teams = new Teams(new Ownership(ownersOf(values.SERVICE_OWNERS).teams));
    const teamOf = teams.of;
    const health = new ConsoleHealth({ clock, stores, values, onChange: () => stream.send('health', health.read()) });

    const feed = (topic: string, partitions: number, name: 'hot' | 'graph' | 'incidents', sink: FeedSink) => {
      const opened = new TopicFeed({
        logs: Array.from({ length: partitions }, (_, partition) => logs.open(topic, partition)),
        sink,
        events: {
          ...events.feed(topic),
          failed: (error) => health.feed(name, events.feedFailed(topic, error)),
          broken: fail,
        },
        clock,
        fetchBytesMax: values.FETCH_BYTES_MAX,
        commitIntervalMs: COMMIT_INTERVAL_MS,
      });
      health.addFeed(name, opened);
      return opened;
    };
    const context = { clock, events: events.sink };
    const feeds = [
      feed(topics.traces, values.PARTITIONS, 'hot', traceSink(hot, values.CONSOLE_RETENTION_MS, context)),
      feed(
        topics.serviceEdges,
        values.PARTITIONS,
        'graph',
        graphSink(
          graphStore,
          {
            changed: (range) => stream.send('graph', range),
            owner: (service, team) => teams.observe(service, team),
          },
          context,
        ),
      ),
      feed(
        topics.incidents,
        1,
        'incidents',
        incidentSink(
          incidents,
          (fresh) => {
            for (const incident of fresh) {
              stream.send('incident', incidentSummary(incident, people.of(incident.incidentId), teamOf));
            }
          },
          context,
        ),
      ),
    ];
    const readers = { values, clock, logger, onClose, hot };
    const sources = new TraceSources({
      near: nearReaders(readers),
      far: farReaders(readers),
      timeoutMs: values.CONSOLE_SOURCE_TIMEOUT_MS,
      oldestHotMs: () => hot.figures.oldestMs,
      onState: (source, down) => health.source(source, down),
    });
    const tokenIsRight = tokenCheck(values.CONSOLE_TOKEN);
    const server = await openHttpServer({
      host: values.CONSOLE_HOST,
      port: values.CONSOLE_PORT,
      guard: {
        hosts: new Set([values.CONSOLE_HOST, ...values.CONSOLE_HOSTS].map((host) => host.toLowerCase())),
        authHeader: values.CONSOLE_AUTH_HEADER?.toLowerCase(),
        hasToken: values.CONSOLE_TOKEN !== undefined,
      },
      tokenIsRight,
      routes: allRoutes({
        sources,
        hot,
        graphStore,
        graph: new GraphQueries(graphStore, teamOf),
        incidents,
        people,
        events: stream,
        teamOf,
        clock,
        health: () => health.read(),
        openapi: readFileSync(new URL('./openapi.yaml', import.meta.url), 'utf8'),
        tokenIsRight,
      }),
      page: openStaticPage(values.CONSOLE_PAGE_DIR ?? path.join(import.meta.dirname, 'page', 'dist')),
      onAnswer: events.answered,
      onFailure: events.answerFailed,
    });
    for (const each of feeds) each.start();
    process.stdout.write(`${JSON.stringify({ service: SERVICE, console: server.url })}\n`);
    logger.info('the console is open', { address: server.url });
    return {
      ready: () => true,
      stop: async () => {
        stream.close();
        await server.close();
        await Promise.all(feeds.map((each) => each.stop()));
        await logs.close();
      },
    };
  },
};

const COMMIT_INTERVAL_MS = 1_000;
