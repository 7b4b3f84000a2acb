import type { Sampling } from './sampling/rules.ts';

export const DESTINATION_KINDS = ['otlp_http', 'otlp_grpc', 'zipkin', 'clickhouse', 'kafka'] as const;
export type DestinationKind = (typeof DESTINATION_KINDS)[number];

/** Where traces go, as an operator declares it; what was left out is filled in. */
export type Destination = HttpDestination | GrpcDestination | KafkaDestination;
export type HttpDestination = PlainHttpDestination | ClickHouseDestination;

interface Common {
  /** Part of the consumer group's name and of metrics. */
  readonly name: string;
  /** Where a destination that is new begins: with what comes from now on, or with all that is retained. */
  readonly startAt: 'end' | 'start';
  /** A trace that a failing destination has not taken so long after its record was written becomes a dead letter. */
  readonly deadLetterAfterMs: number;
  /** Undefined: it gets every trace. */
  readonly sampling: Sampling | undefined;
  readonly batch: BatchLimits;
  readonly retry: RetryLimits;
}

/** A receiver with an address, whatever is spoken there. */
interface Addressed extends Common {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
  /** For a whole exchange, connecting included. */
  readonly timeoutMs: number;
  readonly tls: TlsFiles;
}

export interface PlainHttpDestination extends Addressed {
  readonly kind: 'otlp_http' | 'zipkin';
}

/** `url` has a host and a port and no path; https means TLS. Headers are metadata. */
export interface GrpcDestination extends Addressed {
  readonly kind: 'otlp_grpc';
}

export interface ClickHouseDestination extends Addressed {
  readonly kind: 'clickhouse';
  /** `table` or `database.table`. */
  readonly table: string;
}

export interface KafkaDestination extends Common {
  readonly kind: 'kafka';
  /** Empty: the pipeline's own cluster, with its login. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly encoding: 'otlp_proto' | 'otlp_json';
  readonly compression: 'zstd' | 'gzip' | 'none';
  /** Undefined: without TLS. */
  readonly tls: TlsFiles | undefined;
  readonly sasl: Sasl | undefined;
}

/** A batch is sent when one of the first two is reached, or when its first trace has waited for so long. */
export interface BatchLimits {
  readonly spansMax: number;
  /** Bytes of OTLP, before compression. */
  readonly bytesMax: number;
  readonly waitMs: number;
}

/** Pauses after failed requests double from one to the other. */
export interface RetryLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Names of PEM files. */
export interface TlsFiles {
  readonly caPath: string | undefined;
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}
