import {
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { TRACE_SERVICE } from '../../../lib/codec/otlp-grpc-service.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import { exportResponse, later, type Outcome, RPC_CODES, retryStatus } from '../core/answers.ts';
import type { Intake } from '../ports.ts';
import type { TokenCheck } from './bearer-token.ts';
import { grpcGuard } from './grpc-guard.ts';
import { takeIn } from './take-in.ts';

export interface GrpcDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly token: TokenCheck;
  /** Of a message, as sent and decompressed. */
  readonly messageBytesMax: number;
  readonly requestsMax: number;
  readonly requestTimeoutMs: number;
}

export interface GrpcDoor {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no more calls and waits for those under way, at most CLOSE_MS_MAX. */
  close(): Promise<void>;
}

/** OTLP/gRPC: `TraceService/Export`, messages as bytes, never decoded. @throws SpanloomError COLLECTOR_PORT. */
export async function openGrpcDoor(options: GrpcDoorOptions, intake: Intake): Promise<GrpcDoor> {
  const report = (code: number, startedMs: number, { spans, rejected }: { spans: number; rejected: number }) => {
    const seconds = (performance.now() - startedMs) / 1000;
    intake.report({ protocol: 'otlp', door: 'grpc', code, spans, rejected, seconds });
  };
  const guard = grpcGuard({
    ...options,
    refuse(call, code, detail) {
      report(code, performance.now(), NONE);
      call.sendStatus(statusOf(code, detail));
    },
  });
  // What it would print to stderr reaches us as an error.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': options.messageBytesMax,
    'grpc.max_send_message_length': ANSWER_BYTES_MAX,
    interceptors: [guard],
  });
  server.addService(TRACE_SERVICE, {
    export: async ({ request: body }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const startedMs = performance.now();
      const outcome = await outcomeOf(body, intake);
      const code = outcome.kind === 'taken' ? status.OK : RPC_CODES[outcome.status];
      report(code, startedMs, outcome.kind === 'taken' ? outcome : NONE);
      if (outcome.kind === 'taken') answer(null, exportResponse(outcome.rejected, outcome.reason));
      else answer(statusOf(code, outcome.detail));
    },
  });
  const port = await bind(server, options);
  const url = `${options.tls ? 'https' : 'http'}://${options.host}:${port}`;
  return { url, close: () => closeWithin(server, CLOSE_MS_MAX) };
}

async function outcomeOf(body: Buffer, intake: Intake): Promise<Outcome> {
  if (!intake.tryHold(body.length)) return later(429, 'The collector holds as many bytes as it may; try again.');
  try {
    return await takeIn(body, 'otlp_proto', intake);
  } finally {
    intake.release(body.length);
  }
}

/** With RetryInfo where another try makes sense: clients do not try RESOURCE_EXHAUSTED again without it. */
function statusOf(code: number, details: string): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (code === status.UNAVAILABLE || code === status.RESOURCE_EXHAUSTED) {
    metadata.set('grpc-status-details-bin', retryStatus(code, details));
  }
  return { code, details, metadata };
}

function bind(server: Server, { host, port, tls }: GrpcDoorOptions): Promise<number> {
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }])
    : ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (cause, bound) => {
      if (cause === null) return resolve(bound);
      const sentence = `Port ${port} on ${host} cannot be listened on for gRPC; choose another, or 0 for a free one`;
      reject(new SpanloomError('COLLECTOR_PORT', sentence, { cause }));
    });
  });
}

function closeWithin(server: Server, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), ms);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const NONE = { spans: 0, rejected: 0 };
const ANSWER_BYTES_MAX = 64 * 1024;
/** Below what runService allows for the whole drain. */
const CLOSE_MS_MAX = 6_000;
