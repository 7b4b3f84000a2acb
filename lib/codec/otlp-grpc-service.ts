import type { ServiceDefinition } from '@grpc/grpc-js';

/** OTLP's service for traces, with messages as bytes: nobody who takes or sends them needs them decoded. */
export const TRACE_SERVICE = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const satisfies ServiceDefinition;

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
