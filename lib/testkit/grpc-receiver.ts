import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { TRACE_SERVICE } from '../codec/otlp-grpc-service.ts';

export interface ReceivedCall {
  /** Text and, of names that end in -bin, bytes. */
  readonly metadata: Readonly<Record<string, string | Buffer>>;
  readonly message: Buffer;
  /** Address and port of the connection that it came over. */
  readonly peer: string;
}

export interface GrpcReply {
  readonly code: number;
  readonly details?: string;
  /** `grpc-status-details-bin`. */
  readonly statusDetails?: Buffer;
  /** Of a success. */
  readonly response?: Buffer;
}

/** A real gRPC server with OTLP's TraceService on a free port of this machine; it keeps messages as they came. */
export class GrpcReceiver {
  readonly received: ReceivedCall[] = [];
  /** How to answer the next calls; 'never' leaves them open. When empty: success. */
  replies: (GrpcReply | 'never')[] = [];
  reply: (received: ReceivedCall) => GrpcReply | 'never' = () => ({ code: status.OK });
  private readonly server: Server;
  private readonly tls: ReceiverTls | undefined;
  private boundPort = 0;

  constructor(options: { tls?: ReceiverTls; messageBytesMax?: number } = {}) {
    this.tls = options.tls;
    this.server = new Server({ 'grpc.max_receive_message_length': options.messageBytesMax ?? 64 * 1024 * 1024 });
    this.server.addService(TRACE_SERVICE, {
      export: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.take(call, answer),
    });
  }

  /** @param port 0: a free one. */
  async start(port = 0): Promise<this> {
    const { tls } = this;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(
            tls.clientAuthority === undefined ? null : Buffer.from(tls.clientAuthority),
            [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }],
            tls.clientAuthority !== undefined,
          );
    this.boundPort = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return this;
  }

  get port(): number {
    return this.boundPort;
  }

  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.boundPort}`;
  }

  async stop(): Promise<void> {
    this.server.forceShutdown();
  }

  private take(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    const received = { message: call.request, metadata: call.metadata.getMap(), peer: call.getPeer() };
    this.received.push(received);
    const reply = this.replies.shift() ?? this.reply(received);
    if (reply === 'never') return;
    const { code, details = '', statusDetails, response = EMPTY } = reply;
    if (code === status.OK) return answer(null, response);
    const trailers = new Metadata();
    if (statusDetails !== undefined) trailers.set('grpc-status-details-bin', statusDetails);
    answer({ code, details, metadata: trailers });
  }
}

export interface ReceiverTls {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate of this authority. */
  readonly clientAuthority?: string;
}

const EMPTY = Buffer.alloc(0);
