import { decodeChainEntry } from '../../lib/archive/chain.ts';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import type { Scheduler } from './scheduler.ts';

export interface BucketMutations {
  /** Puts overwrite: the server does not know If-None-Match. */
  readonly noIfNoneMatch?: boolean;
  /** Who finds an entry in its place goes on with its own. */
  readonly chainNotConsulted?: boolean;
  /** Who finds an entry takes its objects for written. */
  readonly noFinish?: boolean;
}

/** An object store whose conditional puts are atomic, and whose answers may get lost. */
export class SimBucket {
  readonly objects = new Map<string, Uint8Array>();
  readonly counts = { lostAnswers: 0, exists: 0, conflicts: 0 };

  /** The bucket as `process` reaches it. */
  reach(
    process: string,
    scheduler: Scheduler,
    random: SeededRandom,
    failChance: () => number,
    mutations: BucketMutations,
  ): Bucket {
    const call = <T>(perform: () => T): Promise<T> =>
      scheduler.call(process, () => {
        if (random.float() < failChance()) throw failed();
        const answer = perform();
        if (random.float() < failChance()) {
          this.counts.lostAnswers++;
          throw failed();
        }
        return answer;
      });
    const putIfAbsent: Bucket['putIfAbsent'] = async (key, body) => {
      // The SDK asks again after a time-out, so that its own object answers it; and after a 409.
      for (let attempt = 1; ; attempt++) {
        const answer = await call(() => {
          if (random.float() < failChance()) {
            this.counts.conflicts++;
            return 'again' as const;
          }
          if (mutations.noIfNoneMatch || !this.objects.has(key)) {
            this.objects.set(key, body);
            if (random.float() >= failChance()) return 'created' as const;
            this.counts.lostAnswers++;
            return 'again' as const;
          }
          this.counts.exists++;
          return mutations.chainNotConsulted && key.includes('/_chain/') ? ('created' as const) : ('exists' as const);
        });
        if (answer !== 'again') return answer;
        if (attempt >= 10) throw failed();
      }
    };
    const list = (prefix: string, after = '') =>
      call(() =>
        [...this.objects]
          .filter(([key]) => key.startsWith(prefix) && key > after)
          .map(([key, { length }]) => ({ key, bytes: length }))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
    return {
      putIfAbsent,
      put: (key, body) => call(() => void this.objects.set(key, body)),
      get: (key) => call(() => this.objects.get(key)),
      getRange: (key, start, end) => call(() => this.objects.get(key)?.subarray(start, end)),
      head: (key) =>
        call(() => {
          const object = this.objects.get(key);
          if (mutations.noFinish) return { bytes: 0 };
          return object === undefined ? undefined : { bytes: object.length };
        }),
      list: async function* (prefix, after) {
        yield* await list(prefix, after);
      },
      delete: (key) => call(() => void this.objects.delete(key)),
      abortUploads: async () => 0,
    };
  }

  /** Whether objects are missing that the newest entry of a partition's chain names. */
  isUnfinished(partition: number): boolean {
    const folder = `/p=${String(partition).padStart(3, '0')}/`;
    const newest = [...this.objects.keys()].filter((key) => key.includes(folder) && !key.endsWith('.gap.json')).sort();
    const key = newest.at(-1);
    if (key === undefined) return false;
    const { objects } = decodeChainEntry(this.objects.get(key) as Uint8Array, key);
    return objects.some((object) => !this.objects.has(object.key));
  }

  /** The bucket as a reader sees it that nothing disturbs. */
  get undisturbed(): Bucket {
    const { objects } = this;
    return {
      putIfAbsent: async () => 'exists',
      put: async () => {},
      get: async (key) => objects.get(key),
      getRange: async (key, start, end) => objects.get(key)?.subarray(start, end),
      head: async (key) => (objects.has(key) ? { bytes: (objects.get(key) as Uint8Array).length } : undefined),
      list: async function* (prefix, after = '') {
        const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
        for (const key of keys) yield { key, bytes: (objects.get(key) as Uint8Array).length };
      },
      delete: async () => {},
      abortUploads: async () => 0,
    };
  }
}

function failed(): SpanloomError {
  return new SpanloomError('S3_FAILED', 'injected: no answer', { retryable: true });
}
