import type { ConnectionOptions } from 'node:tls';
import type { KafkaConfig } from 'kafkajs';
import kafkajs, { type Kafka } from 'kafkajs';
import { registerCodecs } from './compression.ts';
import { patchRequestQueue } from './kafkajs-internals.ts';

/** How to reach a Kafka cluster. */
export interface KafkaSettings {
  /** `host:port` of at least one broker; the others are found through it. */
  readonly brokers: readonly string[];
  /** Shows in the broker's logs and quotas. */
  readonly clientId: string;
  /** `true`: TLS with the system's trusted certificates. An object adds own authorities, a client certificate and so on. */
  readonly tls?: boolean | ConnectionOptions;
  readonly sasl?: KafkaSasl;
  /** Time for TCP and TLS to come up; default 3 000 ms. */
  readonly connectionTimeoutMs?: number;
  /** Time for an answer beyond what the request itself waits on the broker; default 15 000 ms. */
  readonly requestTimeoutMs?: number;
  /** Most bytes that one record batch may grow to when decompressed; default 64 MiB. Larger ones are refused as bombs. */
  readonly decompressedBytesMax?: number;
  /** Gets kafkajs's warnings and errors; none by default, because every failure also reaches the caller as an error. */
  readonly log?: KafkaLog;
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** Called for every new connection and renewal; answers with a token that is still valid for some minutes. */
      readonly token: () => Promise<string>;
    };

export type KafkaLog = (level: 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;

/**
 * A kafkajs client with what every Spanloom process needs: bounded codecs for zstd, gzip, snappy and lz4, a queue that
 * sleeps while idle, retries that start at 20 ms, and kafkajs's log sent to ours. Nothing connects before it is used.
 */
export function createKafka(settings: KafkaSettings): Kafka {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  patchRequestQueue();
  registerCodecs(settings.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX);
  return new kafkajs.Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    ...(settings.tls === undefined ? {} : { ssl: settings.tls }),
    ...(settings.sasl === undefined ? {} : { sasl: saslOf(settings.sasl) }),
    connectionTimeout: settings.connectionTimeoutMs ?? CONNECTION_TIMEOUT_MS,
    authenticationTimeout: settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    requestTimeout: settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    retry: { initialRetryTime: 20, maxRetryTime: 1_000, retries: 8 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => logTo(settings.log),
  });
}

export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

function saslOf(sasl: KafkaSasl): KafkaConfig['sasl'] {
  if (sasl.mechanism === 'oauthbearer') {
    const { token } = sasl;
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
  }
  return { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password } as KafkaConfig['sasl'];
}

type LogEntry = Parameters<ReturnType<NonNullable<KafkaConfig['logCreator']>>>[0];

function logTo(log: KafkaLog | undefined): (entry: LogEntry) => void {
  return ({ namespace, level, log: { message, timestamp: _, logger: __, stack: ___, ...fields } }) => {
    if (log === undefined || level > kafkajs.logLevel.WARN) return;
    // Refusals of a broker reach the caller as errors, and it knows which of them are expected.
    if (namespace === 'Connection' && message.startsWith('Response ')) return;
    log(level === kafkajs.logLevel.ERROR ? 'error' : 'warn', `kafkajs: ${message}`, { ...fields, namespace });
  };
}
