import {
  type BatchLimits,
  DESTINATION_KINDS,
  type Destination,
  type RetryLimits,
  type Sasl,
  type TlsFiles,
} from './destination.ts';
import { Fields, isObject, type Mistake } from './fields.ts';
import { readGrpcAddress, readHeaders, readMetadata, readUrl } from './read-address.ts';
import { readSampling } from './sampling/read-sampling.ts';

export interface ReadDestinations {
  readonly destinations: readonly Destination[];
  readonly mistakes: readonly Mistake[];
}

/**
 * @param declared the parsed file: `destinations: [...]`, as README.md describes it.
 * @param ownTopics heads of topic names that belong to the pipeline: traces sent there would come back.
 */
export function readDestinations(declared: unknown, ownTopics: string): ReadDestinations {
  const mistakes: Mistake[] = [];
  if (!isObject(declared))
    return { destinations: [], mistakes: [{ path: [], what: 'must have a list `destinations`' }] };
  const file = new Fields(declared, [], mistakes);
  const destinations = file.list('destinations').map((item, i) => {
    const fields = new Fields(item, ['destinations', i], mistakes);
    const destination = readDestination(fields, ownTopics);
    fields.refuseOthers();
    return destination;
  });
  file.refuseOthers();
  if (destinations.length === 0 && mistakes.length === 0) file.mistake('destinations', 'names no destination');
  for (const [i, { name }] of destinations.entries()) {
    const isTaken = destinations.findIndex((other) => other.name === name) < i;
    if (isTaken && name !== '') mistakes.push({ path: ['destinations', i, 'name'], what: 'is taken by another one' });
  }
  return { destinations: mistakes.length === 0 ? destinations : [], mistakes };
}

function readDestination(fields: Fields, ownTopics: string): Destination {
  const common = {
    name: fields.text('name', { pattern: /^[a-z0-9][a-z0-9-]{0,39}$/, allowed: '1 to 40 of a-z, 0-9 and dashes' }),
    startAt: fields.choice('startAt', ['end', 'start'], 'end'),
    deadLetterAfterMs: fields.integer('deadLetterAfterMs', { min: 1_000, max: 30 * DAY_MS, fallback: DAY_MS }),
    sampling: fields.has('sampling') ? readSampling(fields.inner('sampling')) : undefined,
    batch: batchOf(fields.inner('batch')),
    retry: retryOf(fields.inner('retry')),
  };
  const kind = fields.choice('kind', DESTINATION_KINDS);
  if (kind === 'kafka') {
    const topic = fields.text('topic', { pattern: /^[A-Za-z0-9._-]{1,249}$/, allowed: 'the name of a topic' });
    const brokers = fields.list('brokers').map(String);
    if (brokers.some((broker) => !BROKER.test(broker))) fields.mistake('brokers', 'must be a list of host:port');
    if (brokers.length === 0 && topic.startsWith(`${ownTopics}.`)) {
      fields.mistake('topic', "must not be one of the pipeline's own");
    }
    return {
      ...common,
      kind,
      brokers,
      topic,
      encoding: fields.choice('encoding', ['otlp_proto', 'otlp_json'], 'otlp_proto'),
      compression: fields.choice('compression', ['zstd', 'gzip', 'none'], 'zstd'),
      tls: fields.has('tls') ? tlsOf(fields.inner('tls')) : undefined,
      sasl: fields.has('sasl') ? saslOf(fields.inner('sasl')) : undefined,
    };
  }
  const exchange = {
    compression: fields.choice('compression', ['gzip', 'none'], 'gzip'),
    timeoutMs: fields.integer('timeoutMs', { min: 100, max: 300_000, fallback: 10_000 }),
    tls: tlsOf(fields.inner('tls')),
  };
  const headers = fields.inner('headers');
  switch (kind) {
    case 'otlp_grpc':
      return { ...common, ...exchange, kind, url: readGrpcAddress(fields), headers: readMetadata(headers, fields) };
    case 'clickhouse': {
      const table = { pattern: TABLE, allowed: 'the name of a table, or database.table', fallback: 'otel_traces' };
      const address = { url: readUrl(fields, '/'), headers: readHeaders(headers, fields) };
      return { ...common, ...exchange, ...address, kind, table: fields.text('table', table) };
    }
    default: {
      const url = readUrl(fields, kind === 'zipkin' ? '/api/v2/spans' : '/v1/traces');
      return { ...common, ...exchange, kind, url, headers: readHeaders(headers, fields) };
    }
  }
}

function batchOf(fields: Fields): BatchLimits {
  const limits = {
    spansMax: fields.integer('spansMax', { min: 1, max: 100_000, fallback: 5_000 }),
    bytesMax: fields.integer('bytesMax', { min: 1_024, max: 64 * MIB, fallback: 2 * MIB }),
    waitMs: fields.integer('waitMs', { min: 0, max: 60_000, fallback: 500 }),
  };
  fields.refuseOthers();
  return limits;
}

function retryOf(fields: Fields): RetryLimits {
  const limits = {
    firstMs: fields.integer('firstMs', { min: 10, max: 600_000, fallback: 1_000 }),
    maxMs: fields.integer('maxMs', { min: 10, max: 3_600_000, fallback: 30_000 }),
  };
  if (limits.maxMs < limits.firstMs) fields.mistake('maxMs', 'must not be less than firstMs');
  fields.refuseOthers();
  return limits;
}

function tlsOf(fields: Fields): TlsFiles {
  const path = { pattern: /^.+$/, allowed: 'the name of a PEM file' };
  const tls = {
    caPath: fields.optionalText('caPath', path),
    certPath: fields.optionalText('certPath', path),
    keyPath: fields.optionalText('keyPath', path),
    serverName: fields.optionalText('serverName', { pattern: /^\S+$/, allowed: 'a host name' }),
    verify: fields.flag('verify', true),
  };
  if ((tls.certPath === undefined) !== (tls.keyPath === undefined)) {
    fields.mistake(tls.certPath === undefined ? 'certPath' : 'keyPath', 'is missing; a certificate needs its key');
  }
  fields.refuseOthers();
  return tls;
}

function saslOf(fields: Fields): Sasl {
  const some = { pattern: /^.+$/s, allowed: 'text' };
  const sasl = {
    mechanism: fields.choice('mechanism', ['plain', 'scram-sha-256', 'scram-sha-512']),
    username: fields.text('username', some),
    password: fields.text('password', some),
  };
  fields.refuseOthers();
  return sasl;
}

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const BROKER = /^(\[[0-9a-fA-F:.]+\]|[^\s:,/[\]]+):[0-9]{1,5}$/;
const TABLE = /^[A-Za-z_]\w{0,199}(\.[A-Za-z_]\w{0,199})?$/;
