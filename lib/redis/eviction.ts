import { Cluster, type Redis } from 'ioredis';

export interface EvictionRisk {
  readonly sentence: string;
  /** False when the server would not say. */
  readonly certain: boolean;
}

/** Whether the server, or any primary of the cluster, may throw keys away when its memory is full. */
export async function evictionRisk(redis: Redis | Cluster): Promise<EvictionRisk | undefined> {
  const nodes: Redis[] = redis instanceof Cluster ? redis.nodes('master') : [redis];
  for (const node of nodes) {
    let info: string;
    try {
      info = await node.info('memory');
    } catch (error) {
      return { sentence: `Redis does not say whether it evicts keys (${(error as Error).message}).`, certain: false };
    }
    const policy = policyOf(info);
    if (policy !== undefined) {
      return { sentence: `Redis may evict keys: its maxmemory-policy is ${policy}.`, certain: true };
    }
  }
  return undefined;
}

/** The policy by which keys are evicted, of the answer to `INFO memory`; undefined when none ever are. */
export function policyOf(info: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const policy = field('maxmemory_policy');
  if (policy === undefined || policy === 'noeviction') return undefined;
  return field('maxmemory') === '0' ? undefined : policy;
}
