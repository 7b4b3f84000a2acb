import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { ClosedTrace, RememberedTrace, StepResult, StoreContext, WindowStep, WindowStore } from '../ports.ts';

/**
 * Windows in the worker's own memory (`WINDOW_STORE=memory`): the same contract as Redis, gone with the process. Every
 * restart but a drained one rebuilds from Kafka, and a drained one too when the partition moves to another process.
 */
export class MemoryWindowStore implements WindowStore {
  private readonly rememberedMax: number;
  private namespace = '';
  private contextSinceMs: number | undefined;
  private windows = new Map<string, Buffer[]>();
  private readonly indexes = new Map<string, Buffer>();
  /** Oldest first, so that the oldest can be forgotten. */
  private readonly remembered = new Map<string, RememberedTrace>();

  /** @param rememberedMax closed traces remembered; the oldest beyond that are forgotten. */
  constructor(rememberedMax: number) {
    this.rememberedMax = rememberedMax;
  }

  async begin(namespace: string, contextStartMs: number): Promise<StoreContext> {
    this.namespace = namespace;
    this.windows = new Map();
    this.contextSinceMs ??= contextStartMs;
    return { contextSinceMs: this.contextSinceMs };
  }

  async step(namespace: string, step: WindowStep): Promise<StepResult> {
    if (namespace !== this.namespace) throw surprise(`namespace ${namespace} is not the living one`);
    const remembered: (RememberedTrace | null)[] = [];
    for (const append of step.appends) {
      const window = this.windows.get(append.windowKey) ?? [];
      if (window.length !== append.had)
        throw surprise(`window ${append.windowKey} holds ${window.length} fragments, not ${append.had}`);
      if (append.had === 0) remembered.push(this.remembered.get(append.traceId) ?? null);
      window.push(...append.fragments);
      this.windows.set(append.windowKey, window);
    }
    const taken = step.takes.map(({ windowKey, length }) => {
      const window = this.windows.get(windowKey) ?? [];
      if (window.length !== length)
        throw surprise(`window ${windowKey} holds ${window.length} fragments, not ${length}`);
      this.windows.delete(windowKey);
      return window;
    });
    return { remembered, taken };
  }

  async remember(traces: readonly ClosedTrace[]): Promise<void> {
    for (const { traceId, revision, hashes } of traces) {
      const known = this.remembered.get(traceId);
      if (known !== undefined && known.revision >= revision) continue;
      this.remembered.delete(traceId);
      this.remembered.set(traceId, {
        revision,
        hashes: known === undefined ? hashes : Buffer.concat([known.hashes, hashes]).subarray(-REMEMBERED_BYTES_MAX),
      });
    }
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= this.rememberedMax) break;
      this.remembered.delete(oldest);
    }
  }

  async saveIndex(namespace: string, nonce: string, index: Buffer): Promise<void> {
    this.indexes.set(`${namespace}/${nonce}`, index);
  }

  async takeIndex(namespace: string, nonce: string) {
    const key = `${namespace}/${nonce}`;
    const index = this.indexes.get(key) ?? null;
    this.indexes.delete(key);
    if (index !== null) this.namespace = namespace;
    return { index, contextSinceMs: this.contextSinceMs ?? 0 };
  }
}

function surprise(what: string): SpanloomError {
  return new SpanloomError('WINDOW_STORE_SURPRISE', `The window store disagrees with the worker: ${what}`, {
    retryable: true,
  });
}

/** 20 000 spans of one trace; of more, the newest are known again. */
export const REMEMBERED_BYTES_MAX = 20_000 * 8;
