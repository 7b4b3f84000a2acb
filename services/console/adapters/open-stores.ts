import path from 'node:path';
import type { ConsoleSettings } from '../config.ts';
import { GraphStore } from './graph-store.ts';
import { HotStore } from './hot-store.ts';
import { IncidentStore } from './incident-store.ts';
import { PeopleStore } from './people-store.ts';

export interface Stores {
  readonly hot: HotStore;
  readonly graph: GraphStore;
  readonly incidents: IncidentStore;
  readonly people: PeopleStore;
}

/** A file for each: any of the first three can be removed, and Kafka fills it again. */
export function openStores(values: ConsoleSettings, onClose: (close: () => void) => void): Stores {
  const file = (name: string): string => path.join(values.CONSOLE_DATA_DIR, `${name}.db`);
  const opened = <T extends { close(): void }>(store: T): T => {
    onClose(() => store.close());
    return store;
  };
  return {
    hot: opened(
      new HotStore(file('traces'), {
        retentionMs: values.CONSOLE_RETENTION_MS,
        bytesMax: values.CONSOLE_HOT_BYTES_MAX,
      }),
    ),
    graph: opened(
      new GraphStore(file('graph'), {
        retentionMs: values.CONSOLE_GRAPH_RETENTION_MS,
        subjectsMax: values.CONSOLE_SUBJECTS_MAX,
      }),
    ),
    incidents: opened(new IncidentStore(file('incidents'), INCIDENTS_KEPT_MS)),
    people: opened(new PeopleStore(file('people'))),
  };
}

const INCIDENTS_KEPT_MS = 90 * 86_400_000;
