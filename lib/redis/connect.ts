import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { ConfigError } from '../config/config-error.ts';
import type { redisSettings } from '../config/redis.ts';
import type { ValuesOf } from '../config/settings.ts';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Logger } from '../observability/logger.ts';
import { evictionRisk } from './eviction.ts';

export type RedisConnection = Redis | Cluster;

type RedisValues = ValuesOf<typeof redisSettings>;

export interface RedisContext {
  readonly logger: Logger;
  onClose(close: () => Promise<unknown> | unknown): void;
}

/**
 * A connection that is up, to a server that keeps what it is given. A command fails at once while the connection is
 * down and is never sent a second time: whoever sent it must know that it may have been carried out.
 * @throws SpanloomError REDIS_UNREACHABLE (retryable), ConfigError when the server refuses the login or may evict keys.
 */
export async function connectRedis(settings: RedisValues, context: RedisContext): Promise<RedisConnection> {
  const redis = settings.REDIS_CLUSTER ? clusterOf(settings) : new Redis(settings.REDIS_URL, optionsOf(settings));
  context.onClose(() => redis.disconnect());
  let lastError: unknown;
  // Without a listener ioredis prints errors itself; each also rejects the commands that it hits.
  redis.on('error', (error: unknown) => {
    lastError = error;
    context.logger.debug('redis connection', { error });
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw connectError(settings, lastError ?? error);
  }
  await refuseEviction(redis, settings, context.logger);
  return redis;
}

function optionsOf(settings: RedisValues): RedisOptions {
  const secure = settings.REDIS_URL.startsWith('rediss:');
  return {
    lazyConnect: true,
    connectTimeout: settings.REDIS_CONNECT_TIMEOUT_MS,
    commandTimeout: settings.REDIS_COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(RECONNECT_FIRST_MS * 2 ** (attempt - 1), RECONNECT_MAX_MS),
    ...(settings.REDIS_USERNAME === undefined ? {} : { username: settings.REDIS_USERNAME }),
    ...(settings.REDIS_PASSWORD === undefined ? {} : { password: settings.REDIS_PASSWORD }),
    ...(secure ? { tls: tlsOf(settings) } : {}),
  };
}

function clusterOf(settings: RedisValues): Cluster {
  const url = new URL(settings.REDIS_URL);
  const own = optionsOf(settings);
  const fromUrl = {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
  const options: ClusterOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    // A command that met a moved slot was not carried out; following the move is safe, unlike sending after a time-out.
    maxRedirections: 16,
    retryDelayOnFailover: 100,
    slotsRefreshTimeout: settings.REDIS_COMMAND_TIMEOUT_MS,
    redisOptions: { ...fromUrl, ...own },
    // Certificates are made out to names, which a look-up here would turn into addresses.
    ...(own.tls === undefined ? {} : { dnsLookup: (address, callback) => callback(null, address) }),
  };
  return new Cluster([{ host: url.hostname, port: Number(url.port || REDIS_PORT) }], options);
}

function tlsOf(settings: RedisValues): NonNullable<RedisOptions['tls']> {
  return {
    ...(settings.REDIS_TLS_CA === undefined ? {} : { ca: settings.REDIS_TLS_CA }),
    ...(settings.REDIS_TLS_CERT === undefined ? {} : { cert: settings.REDIS_TLS_CERT }),
    ...(settings.REDIS_TLS_KEY === undefined ? {} : { key: settings.REDIS_TLS_KEY }),
  };
}

function connectError(settings: RedisValues, cause: unknown): SpanloomError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/^(NOAUTH|WRONGPASS|NOPERM)|invalid password|ERR AUTH/.test(message)) {
    return new ConfigError([
      `Redis refuses the login: ${message}. Check REDIS_USERNAME, REDIS_PASSWORD and REDIS_URL.`,
    ]);
  }
  return new SpanloomError('REDIS_UNREACHABLE', `Redis at ${addressOf(settings)} does not answer`, {
    cause,
    retryable: true,
  });
}

async function refuseEviction(redis: RedisConnection, settings: RedisValues, logger: Logger): Promise<void> {
  const risk = await evictionRisk(redis);
  if (risk === undefined) return;
  if (risk.certain && settings.REDIS_EVICTION === 'refuse') {
    throw new ConfigError([`${risk.sentence} Set maxmemory-policy to noeviction, or REDIS_EVICTION=warn to go on.`]);
  }
  logger.warn(risk.sentence);
}

/** Without the login that the URL may hold. */
function addressOf(settings: RedisValues): string {
  const { hostname, port } = new URL(settings.REDIS_URL);
  return `${hostname}:${port || REDIS_PORT}`;
}

const REDIS_PORT = 6379;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MAX_MS = 2_000;
