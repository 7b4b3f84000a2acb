import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import { partitionOfTraceId } from '../../../lib/kafka/murmur2.ts';
import type { RedisConnection } from '../../../lib/redis/connect.ts';
import { windowKeys } from '../../../lib/redis/window-keys.ts';
import { RunList, readFragment } from '../../../lib/trace/window-fragment.ts';
import { openRequest } from '../core/trace/open-request.ts';
import type { TraceReader } from '../ports.ts';

export interface LiveReaderOptions {
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  readonly partitions: number;
  /** Called when a trace is asked for and there is no connection yet. */
  readonly connect: () => Promise<RedisConnection>;
}

/** Windows that are still open, read from Redis beside the assembler that fills them: it is neither asked nor slowed. */
export function liveReader({ prefix, partitions, connect }: LiveReaderOptions): TraceReader {
  let connecting: Promise<RedisConnection> | undefined;
  const connection = async (): Promise<RedisConnection> => {
    connecting ??= connect();
    try {
      return await connecting;
    } catch (error) {
      connecting = undefined;
      throw error;
    }
  };
  return {
    source: 'live',
    async read(traceId) {
      const redis = await connection();
      const keys = windowKeys(prefix, partitionOfTraceId(Buffer.from(traceId, 'hex'), 0, partitions));
      const fragments = await readWindow(redis, keys, traceId);
      if (fragments === undefined) return [];
      const runs = new RunList();
      if (!fragments.list.every((fragment) => readFragment(fragment, runs))) throw foreignWindow(traceId);
      const contexts = await readContexts(redis, fragments.contextsKey, [
        ...new Set(runs.context.slice(0, runs.count)),
      ]);
      const otlp = openRequest(runs, contexts);
      return otlp === undefined ? [] : [{ source: 'live', revision: 0, contextLost: false, otlp }];
    },
  };
}

/** Undefined when the trace has no open window, or when it is closed while we look. */
async function readWindow(
  redis: RedisConnection,
  keys: ReturnType<typeof windowKeys>,
  traceId: string,
): Promise<{ list: Buffer[]; contextsKey: string } | undefined> {
  const namespace = (await call(redis, 'GET', keys.live)) as Buffer | null;
  if (namespace === null) return undefined;
  const own = keys.namespace(namespace.toString());
  const window = (await call(redis, 'HGET', own.open, traceId)) as Buffer | null;
  if (window === null) return undefined;
  const list = (await call(redis, 'LRANGE', own.window + window.toString(), '0', FRAGMENTS_MAX)) as Buffer[];
  return list.length === 0 ? undefined : { list, contextsKey: own.contexts };
}

async function readContexts(redis: RedisConnection, key: string, ids: readonly number[]): Promise<Map<number, Buffer>> {
  if (ids.length === 0) return new Map();
  const found = (await call(redis, 'HMGET', key, ...ids.map(String))) as (Buffer | null)[];
  return new Map(ids.flatMap((id, i) => (found[i] == null ? [] : [[id, found[i]]])));
}

async function call(redis: RedisConnection, command: string, ...args: string[]): Promise<unknown> {
  try {
    return await redis.callBuffer(command, ...args);
  } catch (cause) {
    throw new SpanloomError('REDIS_COMMAND', `Redis did not carry out ${command}`, { cause, retryable: true });
  }
}

function foreignWindow(traceId: string): SpanloomError {
  return new SpanloomError('WINDOW_FOREIGN', `The open window of trace ${traceId} is not as an assembler writes it`);
}

/** A window closes at 10 000 spans. */
const FRAGMENTS_MAX = '20000';
