import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { TokenCheck } from './bearer-token.ts';

export interface GrpcGuardOptions {
  readonly token: TokenCheck;
  /** Calls under way at once. */
  readonly requestsMax: number;
  /** A whole message must have arrived by then: slow senders hold no memory for ever. */
  readonly requestTimeoutMs: number;
  /** Refuses a call with a status of `code`. */
  refuse(call: ServerInterceptingCall, code: number, detail: string): void;
}

/** Turns calls away before a byte of their message is read: without the token, too many, or too slow. */
export function grpcGuard({ token, requestsMax, requestTimeoutMs, refuse }: GrpcGuardOptions): ServerInterceptor {
  let underWay = 0;
  return (_method, call) => {
    let timer: NodeJS.Timeout | undefined;
    const guarded = new ServerInterceptingCall(call, {
      start: (next) => {
        underWay++;
        next({
          onReceiveMetadata(metadata, goOn) {
            if (!token.allows(authorizationOf(metadata))) {
              return refuse(guarded, status.UNAUTHENTICATED, 'A bearer token is needed.');
            }
            if (underWay > requestsMax) {
              return refuse(guarded, status.RESOURCE_EXHAUSTED, 'Too many requests at once; try again.');
            }
            timer = setTimeout(() => {
              refuse(guarded, status.DEADLINE_EXCEEDED, `The request did not arrive within ${requestTimeoutMs} ms.`);
            }, requestTimeoutMs);
            goOn(metadata);
          },
          onReceiveMessage(message, goOn) {
            clearTimeout(timer);
            goOn(message);
          },
          // Of every call that ends, in whatever way.
          onCancel() {
            clearTimeout(timer);
            underWay--;
          },
        });
      },
    });
    return guarded;
  };
}

function authorizationOf(metadata: Metadata): string | undefined {
  return metadata.get('authorization')[0]?.toString();
}
