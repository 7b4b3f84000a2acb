import { describe, expect, it } from '@jest/globals';
import { policyOf } from './eviction.ts';

describe('policyOf', () => {
  it.each([
    ['a limit and a policy that evicts', 'maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n', 'allkeys-lru'],
    ['a limit without eviction', 'maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n', undefined],
    ['no limit, so nothing is ever evicted', 'maxmemory:0\r\nmaxmemory_policy:volatile-ttl\r\n', undefined],
    ['a server that leaves its policy out', 'used_memory:5\r\n', undefined],
  ])('%s', (_, info, policy) => {
    expect(policyOf(`# Memory\r\nused_memory:12\r\n${info}`)).toBe(policy);
  });
});
