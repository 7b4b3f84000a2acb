import { commonSettings } from '../../lib/config/common.ts';
import {
  bytes,
  choice,
  defineSettings,
  durationMs,
  integer,
  type SettingsOf,
  secret,
  text,
  textList,
} from '../../lib/config/settings.ts';

const port = (value: number, what: string) =>
  integer({ default: value, min: 0, max: 65_535, unit: 'port', description: `${what} 0 takes any free port.` });

export const settings = defineSettings(
  {
    ...commonSettings,
    COLLECTOR_TOPIC: text({
      default: 'otlp_spans',
      pattern: /^[A-Za-z0-9._-]{1,249}$/,
      allowed: "a topic's name",
      description: 'Topic that spans are written to, one of the span-router’s INGEST_TOPICS. It must exist.',
    }),
    COLLECTOR_HOST: text({
      default: '127.0.0.1',
      description: 'Address to listen on. On another than loopback, set COLLECTOR_TOKEN and TLS.',
    }),
    COLLECTOR_HTTP_PORT: port(4318, 'Port for OTLP/HTTP; Zipkin’s and Jaeger’s paths answer here, too.'),
    COLLECTOR_GRPC_PORT: port(4317, 'Port for OTLP/gRPC.'),
    COLLECTOR_ZIPKIN_PORT: port(9411, 'Port where Zipkin’s tracers send to by default.'),
    COLLECTOR_JAEGER_PORT: port(14_268, 'Port where Jaeger’s clients send to by default.'),
    COLLECTOR_TOKEN: secret({ description: 'When set, requests need `Authorization: Bearer <token>`.' }),
    COLLECTOR_TLS_CERT: text({ description: 'Certificate chain in PEM; with it every port speaks TLS only.' }),
    COLLECTOR_TLS_KEY: secret({ description: 'Private key of COLLECTOR_TLS_CERT in PEM.' }),
    COLLECTOR_CORS_ORIGINS: textList({
      default: [],
      pattern: /^https?:\/\/[^/\s]+$/,
      items: 'origins such as https://shop.example',
      description: 'Origins whose pages may send spans. None by default.',
    }),
    COLLECTOR_BODY_BYTES_MAX: bytes({
      default: 16 * 1024 * 1024,
      min: 64 * 1024,
      max: 64 * 1024 * 1024,
      description: 'Largest body, as sent and decompressed; larger ones are answered with 413.',
    }),
    COLLECTOR_GRPC_BYTES_MAX: bytes({
      default: 4 * 1024 * 1024,
      min: 64 * 1024,
      max: 64 * 1024 * 1024,
      description: 'Largest message of OTLP/gRPC, as sent and decompressed. gRPC servers have 4 MiB by default.',
    }),
    COLLECTOR_RECORD_BYTES_MAX: bytes({
      default: 900 * 1024,
      min: 64 * 1024,
      max: 8 * 1024 * 1024,
      description:
        'Largest record and batch written to the topic, below its max.message.bytes (1 MiB by default). Larger requests are split.',
    }),
    COLLECTOR_RATIO_MAX: integer({
      default: 50,
      min: 1,
      max: 1_000,
      unit: 'bytes per byte',
      description:
        'How much a body may grow when it is decompressed, beyond its first 256 KiB. More is answered with 413.',
    }),
    COLLECTOR_HELD_BYTES_MAX: bytes({
      default: 64 * 1024 * 1024,
      min: 1024 * 1024,
      max: 4 * 1024 * 1024 * 1024,
      description:
        'Bytes of all requests that are read or wait for Kafka; beyond it clients are told to try again (429).',
    }),
    COLLECTOR_REQUESTS_MAX: integer({
      default: 2_000,
      min: 1,
      max: 100_000,
      unit: 'requests',
      description: 'Requests under way at once on a port; more are told to try again (429).',
    }),
    COLLECTOR_REQUEST_TIMEOUT_MS: durationMs({
      default: 30_000,
      min: 100,
      max: 600_000,
      description: 'How long a client may take to send a whole request; then it is answered with 408.',
    }),
    COLLECTOR_ACK_TIMEOUT_MS: durationMs({
      default: 10_000,
      min: 100,
      max: 120_000,
      description: 'How long Kafka may take to acknowledge; then the client is told to try again (503).',
    }),
    COLLECTOR_COMPRESSION: choice({
      values: ['none', 'gzip', 'zstd'],
      default: 'none',
      description:
        'Compression of what is written to Kafka. It costs the collector CPU and saves the brokers network and disk.',
    }),
  },
  {
    checks: [
      (s) =>
        (s.COLLECTOR_TLS_CERT === undefined) !== (s.COLLECTOR_TLS_KEY === undefined)
          ? 'COLLECTOR_TLS_CERT and COLLECTOR_TLS_KEY belong together; set both or none.'
          : undefined,
    ],
  },
);

export type CollectorSettings = SettingsOf<typeof settings>;
