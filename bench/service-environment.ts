import path from 'node:path';
import { stackEnvironment } from '../lib/testkit/stack/stack.ts';
import type { StackAddresses } from '../lib/testkit/stack/types.ts';

/**
 * Settings of a service that is measured by itself.
 * @param profileFolder where it leaves a CPU profile, if anywhere.
 */
export function serviceEnvironment(
  prefix: string,
  addresses: StackAddresses,
  { partitions, profileFolder }: { readonly partitions: number; readonly profileFolder: string | undefined },
): Record<string, string | undefined> {
  return {
    ...process.env,
    ...stackEnvironment(addresses),
    SPANLOOM_PREFIX: prefix,
    PARTITIONS: String(partitions),
    LOG_FORMAT: 'json',
    ...(profileFolder === undefined
      ? {}
      : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(profileFolder)}` }),
  };
}
