import type { CollectorSettings } from '../config.ts';
import type { Intake } from '../ports.ts';
import { bearerToken } from './bearer-token.ts';
import { openGrpcDoor } from './grpc-door.ts';
import { openHttpDoors } from './http-doors.ts';

/** Where spans can be sent to. */
export interface Doors {
  /** URL by door. */
  readonly addresses: {
    readonly otlp: string;
    readonly grpc: string;
    readonly zipkin: string;
    readonly jaeger: string;
  };
  close(): Promise<void>;
}

/**
 * Opens every port of the settings.
 * @param onClose gets what closes each, as soon as it is open.
 * @throws SpanloomError COLLECTOR_PORT
 */
export async function openDoors(
  values: CollectorSettings,
  intake: Intake,
  onClose: (close: () => Promise<void>) => void,
): Promise<Doors> {
  const closes: (() => Promise<void>)[] = [];
  const close = async () => {
    await Promise.all(closes.splice(0).map((each) => each()));
  };
  onClose(close);
  const common = {
    host: values.COLLECTOR_HOST,
    tls:
      values.COLLECTOR_TLS_CERT === undefined
        ? undefined
        : { cert: values.COLLECTOR_TLS_CERT, key: values.COLLECTOR_TLS_KEY as string },
    token: bearerToken(values.COLLECTOR_TOKEN),
    requestsMax: values.COLLECTOR_REQUESTS_MAX,
    requestTimeoutMs: values.COLLECTOR_REQUEST_TIMEOUT_MS,
  };
  const http = async (port: number): Promise<string> => {
    const doors = await openHttpDoors(
      {
        ...common,
        port,
        bodyBytesMax: values.COLLECTOR_BODY_BYTES_MAX,
        ratioMax: values.COLLECTOR_RATIO_MAX,
        corsOrigins: values.COLLECTOR_CORS_ORIGINS,
      },
      intake,
    );
    closes.push(() => doors.close());
    return doors.url;
  };
  const otlp = await http(values.COLLECTOR_HTTP_PORT);
  const zipkin = await http(values.COLLECTOR_ZIPKIN_PORT);
  const jaeger = await http(values.COLLECTOR_JAEGER_PORT);
  const grpc = await openGrpcDoor(
    { ...common, port: values.COLLECTOR_GRPC_PORT, messageBytesMax: values.COLLECTOR_GRPC_BYTES_MAX },
    intake,
  );
  closes.push(() => grpc.close());
  return { addresses: { otlp, grpc: grpc.url, zipkin, jaeger }, close };
}
