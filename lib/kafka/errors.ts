import { SpanloomError } from '../errors/spanloom-error.ts';

/**
 * A record batch that cannot be read: damaged, of an unknown kind, or larger than allowed once decompressed. It does not
 * change by trying again, so its readers report the range as a dead letter and go on at `nextOffset`.
 */
export class UndecodableBatchError extends SpanloomError {
  readonly topic: string;
  readonly partition: number;
  /** First offset of the range that was asked for and is lost. */
  readonly firstOffset: number;
  /** The offset behind the batch. */
  readonly nextOffset: number;

  constructor(
    range: { topic: string; partition: number; firstOffset: number; nextOffset: number },
    reason: string,
    cause?: unknown,
  ) {
    super(
      'KAFKA_BATCH_UNDECODABLE',
      `${range.topic}[${range.partition}] offsets ${range.firstOffset} to ${range.nextOffset - 1} cannot be read: ${reason}`,
      { cause },
    );
    this.topic = range.topic;
    this.partition = range.partition;
    this.firstOffset = range.firstOffset;
    this.nextOffset = range.nextOffset;
  }
}

/** Wraps what kafkajs or Node threw; a SpanloomError passes as it is. `doing` completes "Kafka failed while …". */
export function kafkaError(error: unknown, doing: string): SpanloomError {
  if (error instanceof SpanloomError) return error;
  if (isUnreachable(error)) {
    return new SpanloomError('KAFKA_UNREACHABLE', `Kafka cannot be reached while ${doing}`, {
      cause: error,
      retryable: true,
    });
  }
  const type = kafkaErrorType(error);
  if (isNotAllowed(error)) {
    return new SpanloomError('KAFKA_NOT_ALLOWED', `Kafka does not allow this client ${doing}`, { cause: error });
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const sentence = `Kafka has no such topic or partition while ${doing}`;
    return new SpanloomError('KAFKA_TOPIC_MISSING', sentence, { cause: error, retryable: true });
  }
  return new SpanloomError(
    'KAFKA_REQUEST_FAILED',
    `Kafka failed while ${doing}${type === undefined ? '' : `: ${type}`}`,
    {
      cause: error,
      retryable: isRetriableByKafkajs(error),
    },
  );
}

/** Name of the protocol error, e.g. `NOT_LEADER_FOR_PARTITION`; undefined for errors that no broker sent. */
export function kafkaErrorType(error: unknown): string | undefined {
  const type = (error as { type?: unknown } | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
}

/** True when the connection failed or the answer did not come: whether the request took effect is unknown. */
export function isUnreachable(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return UNREACHABLE_NAMES.has(name) || isNetworkCode((error as { code?: unknown } | undefined)?.code);
}

function isNetworkCode(code: unknown): boolean {
  return typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/.test(code);
}

function isNotAllowed(error: unknown): boolean {
  if (error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError') return true;
  return AUTHORIZATION_TYPES.has(kafkaErrorType(error) ?? '');
}

function isRetriableByKafkajs(error: unknown): boolean {
  return (error as { retriable?: unknown } | undefined)?.retriable === true;
}

const UNREACHABLE_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSNumberOfRetriesExceeded',
]);

const AUTHORIZATION_TYPES = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
]);
