import { Redis } from 'ioredis';

/** Keys and values of all that stands below a prefix, one behind the other. */
export async function redisContents(url: string, prefix: string): Promise<Buffer> {
  const redis = new Redis(url);
  try {
    const parts: Buffer[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await redis.scanBuffer(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
      cursor = next.toString();
      for (const key of keys) parts.push(key, ...(await valuesOf(redis, key)));
    } while (cursor !== '0');
    return Buffer.concat(parts);
  } finally {
    redis.disconnect();
  }
}

async function valuesOf(redis: Redis, key: Buffer): Promise<Buffer[]> {
  const type = await redis.type(key);
  switch (type) {
    case 'none':
      return [];
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'hash':
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
    case 'set':
      return redis.smembersBuffer(key);
    default:
      throw new Error(`${key.toString()} is a ${type}, which nothing here looks into`);
  }
}
