import { createHash } from 'node:crypto';
import type { StackService } from '../types.ts';

/** Ports of 127.0.0.1, by the variable that docker-compose.yml takes them from. */
export interface ComposePorts {
  readonly KAFKA_PORT: string;
  readonly REDIS_PORT: string;
  readonly S3_PORT: string;
}

export interface ComposeCommands {
  readonly up: readonly string[];
  /** Removes the containers, and the volumes unless the data is kept. */
  readonly down: readonly string[];
  /** The end of the servers' logs, for when `up` fails. */
  readonly logs: readonly string[];
}

/**
 * `docker compose` command lines for the three servers alone. The project's name keeps stacks apart; for data that is
 * kept it follows from the folder, so that the next start finds the same volumes.
 */
export function composeCommands(options: {
  readonly file: string;
  readonly services: readonly StackService[];
  /** Absent: temporary, and `unique` tells this stack from others. */
  readonly dataDir?: string;
  readonly unique: string;
}): ComposeCommands {
  const { dataDir } = options;
  const name = dataDir === undefined ? options.unique : createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const compose = ['docker', 'compose', '--file', options.file, '--project-name', `spanloom-${name}`];
  return {
    up: [...compose, 'up', '--detach', '--wait', '--wait-timeout', String(WAIT_SECONDS), ...options.services],
    down: [...compose, 'down', '--timeout', '20', '--remove-orphans', ...(dataDir === undefined ? ['--volumes'] : [])],
    logs: [...compose, 'logs', '--no-color', '--tail', '20', ...options.services],
  };
}

const WAIT_SECONDS = 180;
