import type { ConnectionOptions } from 'node:tls';
import type { KafkaLog, KafkaSasl, KafkaSettings } from '../kafka/client.ts';
import { fileToken, oauthToken } from './kafka-oauth.ts';
import { bytes, choice, durationMs, flag, type Settings, secret, text, textList, type ValuesOf } from './settings.ts';

/** How to reach Kafka. */
export const kafkaSettings = {
  KAFKA_BROKERS: textList({
    default: ['127.0.0.1:9092'],
    pattern: /^(\[[0-9a-fA-F:.]+\]|[^\s:,/[\]]+):[0-9]{1,5}$/,
    items: 'host:port',
    description: 'Brokers to connect to first; the others are found through them, so two or three are enough.',
  }),
  KAFKA_CLIENT_ID: text({
    default: 'spanloom',
    pattern: /^[A-Za-z0-9._-]{1,100}$/,
    allowed: 'letters, digits, dots, dashes and underscores',
    description: "Shows in the brokers' logs and quotas; the service's name is appended.",
  }),
  KAFKA_TLS: flag({
    default: false,
    description: 'Connects over TLS, trusting the authorities of the system unless KAFKA_TLS_CA is given.',
  }),
  KAFKA_TLS_CA: text({
    description: 'Authorities to trust, PEM. Usually given as KAFKA_TLS_CA_FILE.',
    check: needs('KAFKA_TLS_CA', 'KAFKA_TLS'),
  }),
  KAFKA_TLS_CERT: text({
    description: 'Certificate of this client, PEM, for brokers that ask for one.',
    check: (all) => needs('KAFKA_TLS_CERT', 'KAFKA_TLS')(all) ?? needs('KAFKA_TLS_CERT', 'KAFKA_TLS_KEY')(all),
  }),
  KAFKA_TLS_KEY: secret({
    description: 'Private key of the certificate, PEM.',
    check: needs('KAFKA_TLS_KEY', 'KAFKA_TLS_CERT'),
  }),
  KAFKA_TLS_SERVER_NAME: text({
    description: "Name to expect in the brokers' certificates, when it is not the host that is connected to.",
    check: needs('KAFKA_TLS_SERVER_NAME', 'KAFKA_TLS'),
  }),
  KAFKA_SASL_MECHANISM: choice({
    values: ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
    default: 'none',
    description: 'How to log in. plain sends the password as it is: use it over TLS only.',
    check: saslMistake,
  }),
  KAFKA_SASL_USERNAME: text({ description: 'User for plain and scram.' }),
  KAFKA_SASL_PASSWORD: secret({ description: 'Password for plain and scram.' }),
  KAFKA_OAUTH_TOKEN_PATH: text({
    description: 'For oauthbearer: a file that holds a token and that something else renews; read for each connection.',
  }),
  KAFKA_OAUTH_TOKEN_URL: text({
    pattern: /^https?:\/\/\S+$/,
    allowed: 'an http or https address',
    description: 'For oauthbearer: where to get tokens with the client credentials grant of OAuth 2.',
  }),
  KAFKA_OAUTH_CLIENT_ID: text({ description: 'Client for KAFKA_OAUTH_TOKEN_URL.' }),
  KAFKA_OAUTH_CLIENT_SECRET: secret({ description: 'Secret of that client.' }),
  KAFKA_OAUTH_SCOPE: text({ description: 'Scope to ask for, when the authority needs one.' }),
  KAFKA_CONNECTION_TIMEOUT_MS: durationMs({
    default: 3_000,
    min: 100,
    max: 60_000,
    description: 'Time for a connection to come up, TLS included.',
  }),
  KAFKA_REQUEST_TIMEOUT_MS: durationMs({
    default: 15_000,
    min: 1_000,
    max: 300_000,
    description: 'Time for an answer, beyond what the request itself waits on the broker.',
  }),
  KAFKA_DECOMPRESSED_BYTES_MAX: bytes({
    default: 64 * 1024 * 1024,
    min: 1024 * 1024,
    max: 1024 * 1024 * 1024,
    description: 'A record batch that grows beyond this when decompressed is refused and reported as a dead letter.',
  }),
} satisfies Settings;

/** What `createKafka` takes. `part` is appended to the client id: the service's name. */
export function kafkaSettingsOf(
  settings: ValuesOf<typeof kafkaSettings>,
  more: { part?: string; log?: KafkaLog } = {},
): KafkaSettings {
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId: more.part === undefined ? settings.KAFKA_CLIENT_ID : `${settings.KAFKA_CLIENT_ID}-${more.part}`,
    tls: settings.KAFKA_TLS ? tlsOf(settings) : undefined,
    sasl: saslOf(settings),
    connectionTimeoutMs: settings.KAFKA_CONNECTION_TIMEOUT_MS,
    requestTimeoutMs: settings.KAFKA_REQUEST_TIMEOUT_MS,
    decompressedBytesMax: settings.KAFKA_DECOMPRESSED_BYTES_MAX,
    log: more.log,
  };
}

function tlsOf(settings: ValuesOf<typeof kafkaSettings>): ConnectionOptions {
  return {
    ca: settings.KAFKA_TLS_CA,
    cert: settings.KAFKA_TLS_CERT,
    key: settings.KAFKA_TLS_KEY,
    servername: settings.KAFKA_TLS_SERVER_NAME,
  };
}

function saslOf(settings: ValuesOf<typeof kafkaSettings>): KafkaSasl | undefined {
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  if (mechanism === 'none') return undefined;
  if (mechanism !== 'oauthbearer') {
    const username = settings.KAFKA_SASL_USERNAME ?? '';
    return { mechanism, username, password: settings.KAFKA_SASL_PASSWORD ?? '' };
  }
  if (settings.KAFKA_OAUTH_TOKEN_PATH !== undefined) {
    return { mechanism, token: fileToken(settings.KAFKA_OAUTH_TOKEN_PATH) };
  }
  return {
    mechanism,
    token: oauthToken({
      url: settings.KAFKA_OAUTH_TOKEN_URL ?? '',
      clientId: settings.KAFKA_OAUTH_CLIENT_ID ?? '',
      clientSecret: settings.KAFKA_OAUTH_CLIENT_SECRET ?? '',
      scope: settings.KAFKA_OAUTH_SCOPE,
    }),
  };
}

/** `name` makes no sense without `other`. */
export function needs(name: string, other: string): (all: Readonly<Record<string, unknown>>) => string | undefined {
  return (all) => (all[other] ? undefined : `${name} is set, but ${other} is not; set both or neither.`);
}

function saslMistake(all: Readonly<Record<string, unknown>>): string | undefined {
  const mechanism = all['KAFKA_SASL_MECHANISM'];
  if (mechanism === 'none') return undefined;
  if (mechanism !== 'oauthbearer') {
    const missing = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'].filter((name) => all[name] === undefined);
    return missing.length === 0 ? undefined : `KAFKA_SASL_MECHANISM ${mechanism} needs ${missing.join(' and ')}.`;
  }
  if (all['KAFKA_OAUTH_TOKEN_PATH'] !== undefined) return undefined;
  const missing = ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET'].filter(
    (name) => all[name] === undefined,
  );
  if (missing.length === 0) return undefined;
  return `KAFKA_SASL_MECHANISM oauthbearer needs KAFKA_OAUTH_TOKEN_PATH, or ${missing.join(' and ')}.`;
}
