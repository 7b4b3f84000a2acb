import { fileURLToPath } from 'node:url';
import type { ServiceName } from '../services.ts';
import type { ProcessSpec } from './supervised-process.ts';

/** How a service is run: `spanloom service NAME` under this same Node, from sources or compiled as this file is. */
export function serviceSpec(
  service: ServiceName,
  env: ProcessSpec['env'],
): Pick<ProcessSpec, 'command' | 'args' | 'env'> {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../main.${ending}`, import.meta.url));
  return {
    command: process.execPath,
    args: [...process.execArgv, ...SERVICE_NODE_FLAGS, main, 'service', service],
    env: { ...SERVICE_ENV, ...env },
  };
}

/**
 * A small young generation, in MB: what passes through a service is mostly buffers, which are freed only when the heap
 * that points to them is collected. A third less memory at the same CPU. The Dockerfile has the same.
 */
export const SERVICE_NODE_FLAGS = ['--max-semi-space-size=4'];

/** glibc keeps freed memory per thread; buffers are freed by several of V8's. */
export const SERVICE_ENV = { MALLOC_ARENA_MAX: '2' };
