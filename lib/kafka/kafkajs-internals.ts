import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';

/**
 * Every use of kafkajs beyond its public API, with the few types it needs. kafkajs is pinned to 2.2.4 and no longer
 * released, so these modules do not move; a newer version must be tried against the tests of this folder first.
 *
 * What is taken: connections (TCP, TLS, SASL, re-authentication, correlation, time-outs, throttling) and the encoders and
 * decoders of requests. What is not: its consumer and its transactional producer (docs/design/kafka-protocol.md says why).
 */

/** A request as kafkajs's connections send it; `response.parse` throws an error with `type`, `code` and `retriable`. */
export interface ProtocolRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<EncodedPayload>;
  };
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<T> };
  /** Milliseconds; the connection's own time-out when that is longer. */
  readonly requestTimeout?: number | null;
  readonly logResponseError?: boolean;
}

/** What kafkajs's `Encoder.writeEncoder` reads of an encoder: `buf` is checked to be a Buffer, `buffer` is written. */
export interface EncodedPayload {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** One connection to one broker, made by kafkajs's Broker, which negotiates versions and authenticates. */
export interface InnerBroker {
  /** Most version by api key; null: to be asked for at the next connection. */
  versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  isConnected(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly connectionPool: { isConnected(): boolean; getConnection(index: number): Promise<InnerConnection> };
}

interface InnerConnection {
  send<T>(request: ProtocolRequest<T>): Promise<T>;
}

export interface InnerCluster {
  readonly brokerPool: {
    readonly rootLogger: unknown;
    readonly seedBroker?: InnerBroker;
    connect(): Promise<void>;
    createBroker(options: { connectionPool: unknown; logger: unknown; nodeId: number }): InnerBroker;
  };
  readonly connectionPoolBuilder: {
    build(address: { host: string; port: number; rack: string | null }): Promise<unknown>;
  };
  disconnect(): Promise<void>;
}

/** A cluster has the settings of its `Kafka` object: brokers, TLS, SASL, time-outs, retry and log. */
export function createCluster(kafka: Kafka): InnerCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((own) => own.description === 'private:Kafka:createCluster');
  if (symbol === undefined) throw new Error('kafkajs has no private:Kafka:createCluster; only 2.2.4 is supported');
  const create = (kafka as unknown as Record<symbol, (options: object) => InnerCluster>)[symbol];
  if (create === undefined) throw new Error('kafkajs lost private:Kafka:createCluster');
  return create({ allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED });
}

export const READ_COMMITTED = 1;

/**
 * Builds a request of the given API and version with kafkajs's encoder and decoder.
 * @param api name in kafkajs/src/protocol/requests, e.g. `EndTxn`; `version` must be one it implements.
 */
export function protocolRequest<T>(api: string, version: number, fields: object): ProtocolRequest<T> {
  const build = protocolRequests[api]?.protocol({ version });
  if (build === undefined) throw new Error(`kafkajs does not implement ${api} v${version}`);
  return build(fields) as ProtocolRequest<T>;
}

/** Makes the request that suits a broker. @param offers whether the broker knows that version of an API. */
export type RequestFor<T> = (offers: (apiKey: number, version: number) => boolean) => ProtocolRequest<T>;

/** Sends on the broker's first connection, connecting and authenticating when needed. */
export async function sendToBroker<T>(broker: InnerBroker, request: ProtocolRequest<T> | RequestFor<T>): Promise<T> {
  if (!broker.isConnected()) {
    forgetVersions(broker);
    await broker.connect();
  }
  const connection = await broker.connectionPool.getConnection(0);
  const offers = (apiKey: number, version: number) => (broker.versions?.[apiKey]?.maxVersion ?? 0) >= version;
  return connection.send({ logResponseError: false, ...(typeof request === 'function' ? request(offers) : request) });
}

/** An Error with kafkajs's `type` (e.g. NOT_LEADER_FOR_PARTITION), `code` and `retriable` for an error code of the protocol. */
export const errorOfCode: (code: number) => Error = requireInner('protocol/error').createErrorFromCode;

/** The broker may have been upgraded, or gone back, since it was connected; kafkajs would ask no more. */
export function forgetVersions(broker: InnerBroker | undefined): void {
  // Still connected, only its login is due again: nothing can be asked before that.
  if (broker !== undefined && !broker.connectionPool.isConnected()) broker.versions = null;
}

/** The table by codec number from which kafkajs takes compression; filled by registerCodecs. */
export interface InnerCodec {
  compress(encoder: EncodedPayload): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * kafkajs arms a timer without end on each connection, with a negative delay: 5.8 % of a core for three idle clients and
 * Node's TimeoutNegativeWarning. Ours is armed only while requests wait or the broker throttles. Its look for timed-out
 * requests runs ten times a second and connection; once is enough for time-outs of seconds.
 */
export function patchRequestQueue(): void {
  const prototype = requireInner('network/requestQueue').prototype as RequestQueue & { patchedBySpanloom?: true };
  if (prototype.patchedBySpanloom) return;
  prototype.patchedBySpanloom = true;

  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    const throttledMs = this.throttledUntil - Date.now();
    if (this.throttleCheckTimeoutId || (this.pending.length === 0 && throttledMs <= 0)) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : PENDING_CHECK_MS,
    );
  };

  prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue): void {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    this.requestTimeoutIntervalId = setInterval(() => {
      const now = Date.now();
      for (const request of [...this.inflight.values()]) {
        if (request.sentAt !== null && now - request.sentAt > request.requestTimeout) request.timeoutRequest();
      }
      if (!this.isConnected()) this.destroy();
    }, TIMEOUT_CHECK_MS);
  };
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, { sentAt: number | null; requestTimeout: number; timeoutRequest(): void }>;
  readonly throttledUntil: number;
  readonly enforceRequestTimeout: boolean;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId?: NodeJS.Timeout;
  isConnected(): boolean;
  destroy(): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

const PENDING_CHECK_MS = 10;
const TIMEOUT_CHECK_MS = 1_000;

const protocolRequests: Record<
  string,
  { protocol(of: { version: number }): ((fields: object) => unknown) | undefined }
> = requireInner('protocol/requests').requests;

/** kafkajs is CommonJS without types for these modules; each caller above says what it expects. */
// biome-ignore lint/suspicious/noExplicitAny: untyped CommonJS modules, narrowed by every caller in this file
function requireInner(path: string): any {
  return createRequire(import.meta.url)(`kafkajs/src/${path}`);
}
