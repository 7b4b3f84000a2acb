import { needs } from './kafka.ts';
import { choice, durationMs, flag, type Settings, secret, text } from './settings.ts';

/** How to reach Redis; lib/redis makes the connection. */
export const redisSettings = {
  REDIS_URL: secret({
    default: 'redis://127.0.0.1:6379',
    pattern: /^rediss?:\/\/[^\s]+$/,
    allowed: 'redis://host:port/database, or rediss:// for TLS, with user:password@ before the host if needed',
    description: 'The server, or with REDIS_CLUSTER any node of the cluster.',
  }),
  REDIS_USERNAME: text({
    description: 'ACL user; wins over the one in REDIS_URL.',
    check: needs('REDIS_USERNAME', 'REDIS_PASSWORD'),
  }),
  REDIS_PASSWORD: secret({ description: 'Password; wins over the one in REDIS_URL.' }),
  REDIS_CLUSTER: flag({
    default: false,
    description: 'The server is a Redis Cluster. All keys of a partition carry one hash tag, so they share a node.',
  }),
  REDIS_TLS_CA: text({
    description: 'Authorities to trust with rediss://, PEM. Usually given as REDIS_TLS_CA_FILE.',
  }),
  REDIS_TLS_CERT: text({
    description: 'Certificate of this client, PEM, for servers that ask for one.',
    check: needs('REDIS_TLS_CERT', 'REDIS_TLS_KEY'),
  }),
  REDIS_TLS_KEY: secret({
    description: 'Private key of the certificate, PEM.',
    check: needs('REDIS_TLS_KEY', 'REDIS_TLS_CERT'),
  }),
  REDIS_CONNECT_TIMEOUT_MS: durationMs({
    default: 3_000,
    min: 100,
    max: 60_000,
    description: 'Time for a connection to come up, TLS included.',
  }),
  REDIS_COMMAND_TIMEOUT_MS: durationMs({
    default: 5_000,
    min: 100,
    max: 60_000,
    description:
      'Time for an answer. Longer means the windows of the partition are rebuilt from Kafka, so do not set it near the usual latency.',
  }),
  REDIS_EVICTION: choice({
    values: ['refuse', 'warn'],
    default: 'refuse',
    description:
      'What to do at start when the server may evict keys (maxmemory-policy is not noeviction). Evicted windows are noticed and rebuilt, at a cost; the memory of closed traces is lost in silence.',
  }),
} satisfies Settings;
