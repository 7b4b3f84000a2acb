import type { SecureListener } from '../types.ts';

export const KAFKA_VERSION = '4.2.0';

export const KAFKA_ARTIFACTS = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  'org.apache.logging.log4j:log4j-core:2.25.3',
  'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
];

/** Ingest topics may hold records of 10 MB; batches of a little more must pass. */
const MESSAGE_BYTES_MAX = 12 * 1024 * 1024;

/** What holds for one broker on one machine wherever it runs; addresses and folders are added at each start. */
export const SINGLE_BROKER_PROPERTIES: Readonly<Record<string, string | number>> = {
  'num.partitions': 4,
  // One broker holds the only copy of everything.
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  // Nobody else is about to join on one machine.
  'group.initial.rebalance.delay.ms': 0,
  // A misspelt topic name is an error, not a new topic.
  'auto.create.topics.enable': 'false',
  'delete.topic.enable': 'true',
  'message.max.bytes': MESSAGE_BYTES_MAX,
  'replica.fetch.max.bytes': MESSAGE_BYTES_MAX,
  // The cleaner's default of 128 MiB would be a quarter of the heap.
  'log.cleaner.enable': 'true',
  'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  'num.network.threads': 2,
  'num.io.threads': 4,
};

/**
 * One broker that is its own controller (KRaft). Ports are set at each start, so that data survives a change of ports:
 * a broker registers its address anew whenever it starts.
 */
export function kafkaProperties(at: {
  port: number;
  controllerPort: number;
  logDir: string;
  secure?: SecureListener;
}): string {
  const { secure } = at;
  const also = (listener: string) => (secure === undefined ? '' : `,${listener}`);
  const secureAddress = also(`SECURE://127.0.0.1:${secure?.port}`);
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${at.controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}${secureAddress}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${at.port}${secureAddress}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${also('SECURE:SASL_SSL')}`,
    ...(secure === undefined ? {} : secureProperties(secure)),
    // A properties file reads a backslash as an escape.
    'log.dirs': at.logDir.replaceAll('\\', '/'),
    ...SINGLE_BROKER_PROPERTIES,
  };
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  return lines.join('');
}

function secureProperties({ cert, key, username, password }: SecureListener): Record<string, string> {
  const login = 'org.apache.kafka.common.security';
  // A PEM on one line: the properties file reads its line feeds back.
  const oneLine = (pem: string) => pem.trim().replaceAll('\n', '\\n');
  return {
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.certificate.chain': oneLine(cert),
    'listener.name.secure.ssl.keystore.key': oneLine(key),
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.secure.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${username}="${password}";`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
  };
}

export const LOG4J_PROPERTIES = `status=ERROR
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
`;

/** A broker for one machine: small heap, one garbage collector thread, quick to start. */
export const KAFKA_JAVA_OPTIONS = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-Djava.awt.headless=true'];
