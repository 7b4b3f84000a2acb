import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { Kafka } from 'kafkajs';
import { createKafka, type KafkaLog } from '../../../lib/kafka/client.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Destination, KafkaDestination, TlsFiles } from '../core/destination.ts';
import type { Sender } from '../ports.ts';
import { createGrpcSender } from './grpc-sender.ts';
import { createHttpSender } from './http-sender.ts';
import { createKafkaSender } from './kafka-sender.ts';

/** @param options.own the pipeline's cluster, for topics there. */
export function createSender(
  destination: Destination,
  options: { own: Kafka; clientId: string; clock: Clock; log: KafkaLog },
): Sender {
  if (destination.kind === 'kafka') {
    const { own, clientId, log } = options;
    return createKafkaSender(
      destination.brokers.length === 0 ? own : otherCluster(destination, clientId, log),
      destination,
    );
  }
  if (destination.kind === 'otlp_grpc') return createGrpcSender(destination, { tls: tlsOf(destination.tls) });
  return createHttpSender(destination, { tls: tlsOf(destination.tls), wallMs: () => options.clock.wallMs() });
}

function otherCluster(destination: KafkaDestination, clientId: string, log: KafkaLog): Kafka {
  const { brokers, tls, sasl } = destination;
  return createKafka({
    brokers,
    clientId,
    log,
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    ...(sasl === undefined ? {} : { sasl }),
  });
}

/** Files were found readable when the declaration was read. */
function tlsOf({ caPath, certPath, keyPath, serverName, verify }: TlsFiles): ConnectionOptions {
  return {
    ...(caPath === undefined ? {} : { ca: readFileSync(caPath) }),
    ...(certPath === undefined ? {} : { cert: readFileSync(certPath) }),
    ...(keyPath === undefined ? {} : { key: readFileSync(keyPath) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: verify,
  };
}
