import { readFileSync } from 'node:fs';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { ConsoleSettings } from '../config.ts';
import type { Health, PartName, SourceName } from '../core/api-types.ts';
import { isActive } from '../core/incidents/incident-view.ts';
import type { Stores } from './open-stores.ts';
import type { TopicFeed } from './topic-feed.ts';

export interface ConsoleHealthOptions {
  readonly clock: Clock;
  readonly stores: Stores;
  readonly values: ConsoleSettings;
  /** A part went down or came back. */
  readonly onChange: () => void;
}

type FeedName = 'hot' | 'graph' | 'incidents';

/** What works and what does not, as the last answers tell. */
export class ConsoleHealth {
  private readonly options: ConsoleHealthOptions;
  private readonly feeds = new Map<FeedName, TopicFeed>();
  /** Why, by what is down. */
  private readonly down = new Map<PartName, string>();

  constructor(options: ConsoleHealthOptions) {
    this.options = options;
  }

  addFeed(name: FeedName, feed: TopicFeed): void {
    this.feeds.set(name, feed);
  }

  feed(name: FeedName, down: string | undefined): void {
    this.set(name, down);
  }

  source(name: SourceName, down: string | undefined): void {
    // The hot store itself does not fail; what is told of it is told of its feed.
    if (name !== 'hot') this.set(name, down);
  }

  read(): Health {
    const { clock, stores, values } = this.options;
    const { hot, graph, incidents } = stores;
    const sources = PARTS.map((name) => this.part(name));
    const isReading = sources.some(({ state }) => state === 'reading');
    const isDown = sources.some(({ state }) => state === 'down');
    const all = [...incidents.all.values()];
    const held = graph.held;
    return {
      status: isDown ? 'partial' : isReading ? 'starting' : 'ok',
      nowMs: clock.wallMs(),
      version: VERSION,
      sources,
      hot: {
        ...hot.figures,
        lagRecords: this.feeds.get('hot')?.lagRecords ?? 0,
        retentionMs: values.CONSOLE_RETENTION_MS,
        bytesMax: values.CONSOLE_HOT_BYTES_MAX,
      },
      graph: {
        oldestMs: held?.fromMs ?? null,
        newestMs: held?.toMs ?? null,
        edges: graph.edgeCount,
        windowMs: graph.levels[0]?.windowMs ?? 0,
      },
      incidents: { active: all.filter(isActive).length, total: all.length },
    };
  }

  private part(name: PartName): Health['sources'][number] {
    const why = this.down.get(name);
    if (why !== undefined) return { name, state: 'down', message: why };
    if (name === 'archive' && this.options.values.S3_BUCKET === undefined) {
      return { name, state: 'off', message: 'S3_BUCKET is not set.' };
    }
    const feed = name === 'live' || name === 'archive' ? undefined : this.feeds.get(name);
    if (feed === undefined) return { name, state: 'up', message: '' };
    const { lagRecords } = feed;
    if (lagRecords === undefined) return { name, state: 'reading', message: 'Kafka has not answered yet.' };
    if (lagRecords <= BEHIND_RECORDS_MAX) return { name, state: 'up', message: '' };
    return { name, state: 'reading', message: `${lagRecords} records are not read yet.` };
  }

  private set(name: PartName, down: string | undefined): void {
    const before = this.down.has(name);
    if (down === undefined) this.down.delete(name);
    else this.down.set(name, down);
    if (before !== this.down.has(name)) this.options.onChange();
  }
}

const PARTS: readonly PartName[] = ['hot', 'live', 'archive', 'graph', 'incidents'];
/** Up to so many the newest are nearly there. */
const BEHIND_RECORDS_MAX = 1_000;
const { version: VERSION } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
