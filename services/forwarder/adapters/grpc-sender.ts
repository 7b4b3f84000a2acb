import { type ConnectionOptions, createSecureContext } from 'node:tls';
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { TRACE_SERVICE } from '../../../lib/codec/otlp-grpc-service.ts';
import type { GrpcDestination } from '../core/destination.ts';
import { type GrpcAnswer, judgeGrpc } from '../core/grpc-answer.ts';
import type { Sender } from '../ports.ts';

/** Exports each batch by one unary call of OTLP/gRPC; all partitions share a connection. */
export function createGrpcSender(destination: GrpcDestination, options: { tls: ConnectionOptions }): Sender {
  // What it would print to stderr reaches us as an error.
  setLogVerbosity(logVerbosity.NONE);
  const metadata = metadataOf(destination.headers);
  const connect = () =>
    new Client(targetOf(destination.url), credentialsOf(destination, options.tls), channelOf(destination, options.tls));
  let client = connect();
  return {
    async send(batch, stop) {
      const used = client;
      // OTLP requests one behind the other are one request.
      const body = Buffer.concat(batch.map(({ trace }) => trace.otlp));
      const answer = await call(used, body, { metadata, timeoutMs: destination.timeoutMs, stop });
      if (answer.code === status.DEADLINE_EXCEEDED && client === used) {
        // Something on the way may swallow all that is sent over this connection: calls after this one have their own.
        client = connect();
        used.close();
      }
      return judgeGrpc(answer);
    },
    async close() {
      client.close();
    },
  };
}

function call(
  client: Client,
  body: Buffer,
  { metadata, timeoutMs, stop }: { metadata: Metadata; timeoutMs: number; stop: AbortSignal },
): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    const deadline = Date.now() + timeoutMs;
    const done = (error: ServiceError | null, response?: Buffer) => {
      stop.removeEventListener('abort', cancel);
      resolve(error === null ? { ...SUCCESS, response } : failureOf(error));
    };
    const codecs = [requestSerialize, responseDeserialize] as const;
    const under = client.makeUnaryRequest(EXPORT, ...codecs, body, metadata, { deadline }, done);
    const cancel = () => under.cancel();
    stop.addEventListener('abort', cancel);
  });
}

function failureOf({ code, details, metadata }: ServiceError): GrpcAnswer {
  const [statusDetails] = metadata?.get('grpc-status-details-bin') ?? [];
  return {
    code,
    details,
    statusDetails: Buffer.isBuffer(statusDetails) ? statusDetails : undefined,
    response: undefined,
  };
}

/** Without a scheme: names are looked up in DNS. */
function targetOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function credentialsOf({ url }: GrpcDestination, tls: ConnectionOptions): ChannelCredentials {
  if (url.protocol === 'http:') return credentials.createInsecure();
  const { ca, cert, key, rejectUnauthorized = true } = tls;
  return credentials.createFromSecureContext(createSecureContext({ ca, cert, key }), { rejectUnauthorized });
}

function channelOf({ compression, retry }: GrpcDestination, { servername }: ConnectionOptions): ChannelOptions {
  return {
    'grpc.primary_user_agent': 'spanloom-forwarder',
    // The circuit and the delivery decide when to try again, and addresses are the destinations file's to say.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    // A call fails at once while the connection waits to be tried anew, so that must not be long.
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': Math.max(RECONNECT_MS, Math.min(retry.maxMs, RECONNECT_MAX_MS)),
    'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
    'grpc.default_compression_algorithm': compression === 'gzip' ? GZIP : IDENTITY,
    ...(servername === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': servername, 'grpc.default_authority': servername }),
  };
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return metadata;
}

const { path: EXPORT, requestSerialize, responseDeserialize } = TRACE_SERVICE.export;
const SUCCESS = { code: status.OK, details: '', statusDetails: undefined };
/** Of the library's list of algorithms, which it does not export as values. */
const IDENTITY = 0;
const GZIP = 2;
const ANSWER_BYTES_MAX = 64 * 1024;
const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 2_000;
