/**
 * An operating error: something outside the program is not as it must be. Programming errors stay plain `Error`s.
 *
 * `code` is stable and listed in docs/errors.md, `message` is one sentence a person can act on, `cause` is what was
 * underneath, and `retryable` says whether doing the same again later can succeed.
 */
export class SpanloomError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, sentence: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SpanloomError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** True for an operating error of ours with this code. */
export function hasCode(error: unknown, code: string): error is SpanloomError {
  return error instanceof SpanloomError && error.code === code;
}

/** True when doing the same again later can succeed: ours say so themselves, kafkajs and Node mark theirs. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof SpanloomError) return error.retryable;
  const marked = error as { retriable?: unknown; code?: unknown } | undefined;
  if (marked?.retriable === true) return true;
  return typeof marked?.code === 'string' && NETWORK_CODES.has(marked.code);
}

/** One line for a person or a log: the sentence, then what was underneath. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < CAUSES_MAX; depth++) {
    const text = current instanceof Error ? current.message || current.name : String(current);
    if (!parts.includes(text)) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}

const CAUSES_MAX = 5;
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
