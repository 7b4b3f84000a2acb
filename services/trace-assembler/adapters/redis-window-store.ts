import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { RedisConnection } from '../../../lib/redis/connect.ts';
import { windowKeys } from '../../../lib/redis/window-keys.ts';
import { crashPoint } from '../../../lib/runtime/crash-point.ts';
import type {
  ClosedTrace,
  RememberedTrace,
  StepResult,
  StoreContext,
  WindowAppend,
  WindowStep,
  WindowStore,
} from '../ports.ts';
import { REMEMBERED_BYTES_MAX } from './memory-window-store.ts';

/** Windows in Redis, under the names of lib/redis/window-keys.ts. */
export class RedisWindowStore implements WindowStore {
  private readonly redis: RedisConnection;
  private readonly keys: Keys;
  private readonly settings: RedisWindowStoreSettings;

  constructor(redis: RedisConnection, settings: RedisWindowStoreSettings) {
    this.redis = redis;
    this.settings = settings;
    this.keys = windowKeys(settings.prefix, settings.partition);
  }

  async begin(namespace: string, contextStartMs: number): Promise<StoreContext> {
    const { live, context } = this.keys;
    const reply = await this.run(BEGIN, [live, context], [namespace, contextStartMs, this.settings.closedTtlMs]);
    crashPoint('after-begin');
    const [before, since] = reply as [Buffer | null, Buffer];
    if (before !== null && before.toString() !== namespace) await this.unlink(before.toString());
    return { contextSinceMs: Number(since.toString()) };
  }

  /**
   * Sent as several calls of bounded size, in order. Atomic as a whole in effect: the first one that fails is a surprise,
   * after which nobody uses the namespace again.
   */
  async step(namespace: string, step: WindowStep): Promise<StepResult> {
    const calls = chunksOf(step).map((chunk) => this.stepCall(namespace, chunk));
    const replies = await Promise.all(calls);
    crashPoint('after-redis-step');
    const remembered: (RememberedTrace | null)[] = [];
    const taken: Buffer[][] = [];
    for (const [opened, fragments] of replies) {
      for (const value of opened)
        remembered.push(value === null ? null : { revision: value.readUInt32BE(0), hashes: value.subarray(4) });
      taken.push(...fragments);
    }
    return { remembered, taken };
  }

  private async stepCall(namespace: string, step: WindowStep): Promise<[(Buffer | null)[], Buffer[][]]> {
    const { live, closed } = this.keys;
    const own = this.keys.namespace(namespace);
    const args: (string | number | Buffer)[] = [namespace, own.window, closed, this.settings.windowTtlMs];
    args.push(step.appends.length, step.takes.length, step.contexts.length, step.retiredContexts.length);
    for (const append of step.appends) {
      args.push(append.windowKey, append.traceId, append.had, append.fragments.length);
      for (const fragment of append.fragments) args.push(fragment);
    }
    for (const take of step.takes) args.push(take.windowKey, take.traceId, take.length);
    for (const context of step.contexts) args.push(context.id, context.bytes);
    for (const id of step.retiredContexts) args.push(id);
    return (await this.run(STEP, [own.open, own.contexts, live], args)) as [(Buffer | null)[], Buffer[][]];
  }

  async remember(traces: readonly ClosedTrace[]): Promise<void> {
    for (let at = 0; at < traces.length; at += TRACES_PER_CALL) {
      const args: (string | number | Buffer)[] = [this.keys.closed, this.settings.closedTtlMs, REMEMBERED_BYTES_MAX];
      for (const { traceId, revision, hashes } of traces.slice(at, at + TRACES_PER_CALL))
        args.push(traceId, revision, hashes);
      await this.run(REMEMBER, [this.keys.context], args);
    }
  }

  async saveIndex(namespace: string, nonce: string, index: Buffer): Promise<void> {
    await this.call('SET', this.keys.namespace(namespace).index + nonce, index, 'PX', this.settings.windowTtlMs);
    crashPoint('after-index-saved');
  }

  async takeIndex(namespace: string, nonce: string) {
    const index = (await this.call('GETDEL', this.keys.namespace(namespace).index + nonce)) as Buffer | null;
    crashPoint('after-index-taken');
    const since = (await this.call('GET', this.keys.context)) as Buffer | null;
    return { index, contextSinceMs: since === null ? 0 : Number(since.toString()) };
  }

  /** Frees the windows of a namespace that nobody uses any more; what is missed falls to its time-to-live. */
  private async unlink(namespace: string): Promise<void> {
    const own = this.keys.namespace(namespace);
    let cursor = '0';
    do {
      const [next, pairs] = (await this.call('HSCAN', own.open, cursor, 'COUNT', 500)) as [Buffer, Buffer[]];
      cursor = next.toString();
      const windows = pairs.filter((_, i) => i % 2 === 1).map((name) => own.window + name.toString());
      if (windows.length > 0) await this.call('UNLINK', ...windows);
    } while (cursor !== '0');
    await this.call('UNLINK', own.open, own.contexts);
  }

  private async run(script: Script, keys: string[], args: (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await this.call('EVALSHA', script.sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof SpanloomError) || !(error.cause as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.call('EVAL', script.source, keys.length, ...keys, ...args);
    }
  }

  private async call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await this.redis.callBuffer(command, ...args);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const isSurprise = message.includes('SURPRISE');
      throw new SpanloomError(
        isSurprise ? 'WINDOW_STORE_SURPRISE' : 'REDIS_COMMAND',
        isSurprise ? `The window store disagrees with the worker: ${message}` : `Redis did not carry out ${command}`,
        { cause, retryable: true },
      );
    }
  }
}

export interface RedisWindowStoreSettings {
  readonly prefix: string;
  readonly partition: number;
  /** Twice the age limit of a window. */
  readonly windowTtlMs: number;
  /** Twice the horizon, at least. */
  readonly closedTtlMs: number;
}

type Keys = ReturnType<typeof windowKeys>;

/** Splits a step so that no call holds Redis for more than a few milliseconds. Appends keep their order before all takes. */
function chunksOf(step: WindowStep): WindowStep[] {
  const chunks: WindowStep[] = [];
  const appends = step.appends.flatMap(inPieces);
  for (let at = 0; at < appends.length; ) {
    const start = at;
    let bytes = 0;
    while (at < appends.length && at - start < TRACES_PER_CALL && bytes < BYTES_PER_CALL) {
      for (const fragment of (appends[at] as WindowAppend).fragments) bytes += fragment.length;
      at++;
    }
    chunks.push({ ...EMPTY_STEP, appends: appends.slice(start, at) });
  }
  for (let at = 0; at < step.takes.length; at += TRACES_PER_CALL) {
    chunks.push({ ...EMPTY_STEP, takes: step.takes.slice(at, at + TRACES_PER_CALL) });
  }
  for (let at = 0; at < Math.max(step.contexts.length, step.retiredContexts.length); at += TRACES_PER_CALL) {
    const contexts = step.contexts.slice(at, at + TRACES_PER_CALL);
    chunks.push({ ...EMPTY_STEP, contexts, retiredContexts: step.retiredContexts.slice(at, at + TRACES_PER_CALL) });
  }
  return chunks;
}

/** Lua can unpack some thousand arguments at a time. */
function inPieces(append: WindowAppend): WindowAppend[] {
  if (append.fragments.length <= FRAGMENTS_PER_PUSH) return [append];
  const pieces: WindowAppend[] = [];
  for (let at = 0; at < append.fragments.length; at += FRAGMENTS_PER_PUSH) {
    pieces.push({ ...append, had: append.had + at, fragments: append.fragments.slice(at, at + FRAGMENTS_PER_PUSH) });
  }
  return pieces;
}

const EMPTY_STEP: WindowStep = { appends: [], takes: [], contexts: [], retiredContexts: [] };
const FRAGMENTS_PER_PUSH = 1_000;
const TRACES_PER_CALL = 200;
const BYTES_PER_CALL = 1024 * 1024;

interface Script {
  readonly source: string;
  readonly sha1: string;
}

function script(name: string): Script {
  const source = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

const BEGIN = script('begin');
const STEP = script('step');
const REMEMBER = script('remember');
