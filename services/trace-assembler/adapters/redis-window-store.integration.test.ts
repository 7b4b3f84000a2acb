import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { windowKeys } from '../../../lib/redis/window-keys.ts';
import { testStack, uniquePrefix } from '../../../test/support/stack.ts';
import { RedisWindowStore } from './redis-window-store.ts';
import { windowStoreConformance } from './window-store.conformance.ts';

let redis: Redis;

beforeAll(() => {
  redis = new Redis(testStack().redis);
});

afterAll(async () => {
  await redis.quit();
});

const settings = (prefix: string) => ({ prefix, partition: 3, windowTtlMs: 600_000, closedTtlMs: 600_000 });

windowStoreConformance('RedisWindowStore', async () => new RedisWindowStore(redis, settings(uniquePrefix('windows'))));

describe('RedisWindowStore', () => {
  it('gives every key a time-to-live and the hash tag of its partition', async () => {
    const prefix = uniquePrefix('ttl');
    const store = new RedisWindowStore(redis, settings(prefix));
    await store.begin('ns', 1);
    await store.step('ns', {
      appends: [{ windowKey: 'w', traceId: 'a'.repeat(32), had: 0, fragments: [Buffer.from('x')] }],
      takes: [],
      contexts: [{ id: 1, bytes: Buffer.from('c') }],
      retiredContexts: [],
    });
    await store.remember([{ traceId: 'b'.repeat(32), revision: 1, hashes: Buffer.alloc(8) }]);
    await store.saveIndex('ns', 'n', Buffer.from('i'));
    const keys = await redis.keys(`${prefix}:*`);
    expect(keys.length).toBe(7);
    for (const key of keys) {
      expect(key).toMatch(/:\{3\}:/);
      expect(await redis.pttl(key)).toBeGreaterThan(500_000);
    }
  });

  it('leaves nothing of a window behind once it is taken, and says which traces are open', async () => {
    const prefix = uniquePrefix('open');
    const store = new RedisWindowStore(redis, settings(prefix));
    const keys = windowKeys(prefix, 3).namespace('ns');
    const traceId = 'c'.repeat(32);
    await store.begin('ns', 1);
    const none = { contexts: [], retiredContexts: [] };
    const append = { windowKey: 'w', traceId, had: 0, fragments: [Buffer.from('x')] };
    await store.step('ns', { ...none, appends: [append], takes: [] });
    expect(await redis.hget(keys.open, traceId)).toBe('w');
    await store.step('ns', { ...none, appends: [], takes: [{ windowKey: 'w', traceId, length: 1 }] });
    expect(await redis.exists(keys.open, `${keys.window}w`)).toBe(0);
  });

  it('is surprised when Redis has lost everything', async () => {
    const prefix = uniquePrefix('lost');
    const store = new RedisWindowStore(redis, settings(prefix));
    await store.begin('ns', 1);
    await redis.del(...(await redis.keys(`${prefix}:*`)));
    const step = store.step('ns', {
      appends: [],
      takes: [],
      contexts: [{ id: 1, bytes: Buffer.from('c') }],
      retiredContexts: [],
    });
    await expect(step).rejects.toMatchObject({ code: 'WINDOW_STORE_SURPRISE' });
  });
});
