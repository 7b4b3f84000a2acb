import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import type {
  ClosedTrace,
  RememberedTrace,
  StepResult,
  StoreContext,
  WindowStep,
  WindowStore,
} from '../../services/trace-assembler/ports.ts';
import type { Scheduler } from './scheduler.ts';

/** What one Redis holds for one partition; copied whole for snapshots. */
interface Data {
  live: string | null;
  contextSinceMs: number | null;
  windows: Map<string, Buffer[]>;
  indexes: Map<string, Buffer>;
  remembered: Map<string, RememberedTrace>;
}

/** One Redis with the faults of one: lost, gone back to an older state, split in two, evicting. */
export class SimRedis {
  data = empty();
  private readonly snapshots: Data[] = [];
  /** As it was at the last few hand-offs: where a replica may have stopped following long ago. */
  private readonly marks: Data[] = [];
  private other: Data | null = null;

  changed(): void {
    this.snapshots.push(copy(this.data));
    if (this.snapshots.length > 8) this.snapshots.shift();
  }

  /** Remembers this moment for longer than others. */
  mark(): void {
    this.marks.push(copy(this.data));
    if (this.marks.length > 3) this.marks.shift();
  }

  flush(): void {
    this.other = copy(this.data);
    this.data = empty();
    this.snapshots.length = 0;
  }

  /** A fail-over loses a suffix of writes. */
  regress(random: SeededRandom): void {
    if (this.marks.length > 0 && random.float() < 0.3) {
      this.data = copy(random.pick(this.marks));
      this.snapshots.length = 0;
      return;
    }
    if (this.snapshots.length < 2) return;
    if (random.float() < 0.3) this.other = copy(this.data);
    const kept = random.below(this.snapshots.length);
    this.data = copy(this.snapshots[kept] as Data);
    this.snapshots.length = kept + 1;
  }

  /** The other side of a split answers. */
  split(): void {
    if (this.other === null) return;
    const other = this.other;
    this.other = copy(this.data);
    this.data = other;
    this.snapshots.length = 0;
  }

  evict(random: SeededRandom): void {
    const keys = [...this.data.windows.keys()];
    if (keys.length > 0) this.data.windows.delete(keys[random.below(keys.length)] as string);
  }
}

export interface StoreMutations {
  /** M3: lengths are not checked. */
  readonly noLength?: boolean;
  /** M5: a hand-off's index is not stored under a name of its own. */
  readonly noNonce?: boolean;
}

/** The contract of WindowStore over a SimRedis, each call waiting to be picked. */
export class SimWindowStore implements WindowStore {
  private readonly process: string;
  private readonly redis: SimRedis;
  private readonly scheduler: Scheduler;
  private readonly mutations: StoreMutations;
  private readonly fails: () => boolean;

  constructor(process: string, redis: SimRedis, scheduler: Scheduler, mutations: StoreMutations, fails: () => boolean) {
    this.process = process;
    this.redis = redis;
    this.scheduler = scheduler;
    this.mutations = mutations;
    this.fails = fails;
  }

  begin(namespace: string, contextStartMs: number): Promise<StoreContext> {
    return this.call((data) => {
      const before = data.live;
      data.live = namespace;
      data.contextSinceMs ??= contextStartMs;
      if (before !== null && before !== namespace) {
        for (const key of [...data.windows.keys()]) if (key.startsWith(`${before}/`)) data.windows.delete(key);
      }
      return { contextSinceMs: data.contextSinceMs };
    });
  }

  step(namespace: string, step: WindowStep): Promise<StepResult> {
    return this.call((data) => {
      const { noLength } = this.mutations;
      if (data.live !== namespace && !noLength) throw surprise('namespace');
      const remembered: (RememberedTrace | null)[] = [];
      for (const append of step.appends) {
        const key = `${namespace}/${append.windowKey}`;
        const window = data.windows.get(key) ?? [];
        if (window.length !== append.had && !noLength) throw surprise(append.windowKey);
        if (append.had === 0) remembered.push(data.remembered.get(append.traceId) ?? null);
        data.windows.set(key, [...window, ...append.fragments]);
      }
      const taken = step.takes.map((take) => {
        const key = `${namespace}/${take.windowKey}`;
        const window = data.windows.get(key) ?? [];
        if (window.length !== take.length && !noLength) throw surprise(take.windowKey);
        data.windows.delete(key);
        return noLength ? padded(window, take.length) : window;
      });
      return { remembered, taken };
    });
  }

  remember(traces: readonly ClosedTrace[]): Promise<void> {
    return this.call((data) => {
      for (const { traceId, revision, hashes } of traces) {
        const known = data.remembered.get(traceId);
        if (known !== undefined && known.revision >= revision) continue;
        data.remembered.set(traceId, {
          revision,
          hashes: known === undefined ? hashes : Buffer.concat([known.hashes, hashes]),
        });
      }
    });
  }

  saveIndex(namespace: string, nonce: string, index: Buffer): Promise<void> {
    return this.call((data) => {
      data.indexes.set(this.indexKey(namespace, nonce), index);
      this.redis.mark();
    });
  }

  takeIndex(namespace: string, nonce: string) {
    return this.call((data) => {
      const key = this.indexKey(namespace, nonce);
      const index = data.indexes.get(key) ?? null;
      data.indexes.delete(key);
      return { index, contextSinceMs: data.contextSinceMs ?? 0 };
    });
  }

  /** The index as it is there now; for the mutations. */
  peekIndex(namespace: string, nonce: string): Buffer | undefined {
    return this.redis.data.indexes.get(this.indexKey(namespace, nonce));
  }

  private indexKey(namespace: string, nonce: string): string {
    return `${namespace}/${this.mutations.noNonce ? '' : nonce}`;
  }

  private call<T>(perform: (data: Data) => T): Promise<T> {
    return this.scheduler.call(this.process, () => {
      const failsBefore = this.fails();
      if (failsBefore) throw unreachable();
      const result = perform(this.redis.data);
      this.redis.changed();
      // The script ran, its answer was lost.
      if (this.fails()) throw unreachable();
      return result;
    });
  }
}

function padded(window: Buffer[], length: number): Buffer[] {
  const fragments = window.slice(0, length);
  while (fragments.length < length) fragments.push(Buffer.alloc(0));
  return fragments;
}

function surprise(what: string): SpanloomError {
  return new SpanloomError('WINDOW_STORE_SURPRISE', what, { retryable: true });
}

function unreachable(): SpanloomError {
  return new SpanloomError('REDIS_COMMAND', 'injected', { retryable: true });
}

function empty(): Data {
  return { live: null, contextSinceMs: null, windows: new Map(), indexes: new Map(), remembered: new Map() };
}

/** Buffers and lists are never changed in place, so copying the maps is enough. */
function copy(data: Data): Data {
  return {
    ...data,
    windows: new Map(data.windows),
    indexes: new Map(data.indexes),
    remembered: new Map(data.remembered),
  };
}
