import type { PostAnswer } from '../../../lib/http/http-post.ts';
import { describeAnswer } from '../../../lib/http/judge-answer.ts';
import { judgeHttp, type Verdict } from './verdict.ts';

/**
 * What ClickHouse's answer to an INSERT means. Its status says little: most errors are 500, and what is wrong with the rows
 * and what is wrong with the table are both 400. The number of the exception, with which the body begins, says more.
 *
 * @see https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
export function judgeClickHouse(answer: PostAnswer, nowMs: number): Verdict {
  const text = answer.body.toString('utf8', 0, LOOKED_AT_BYTES);
  const code = Number(/^Code: (\d+)\./.exec(text)?.[1] ?? 0);
  const verdict = judgeHttp(answer, nowMs);
  if (code === 0) return verdict;
  const why = describeAnswer(answer);
  if (code === TOO_MANY_PARTS && text.includes('partitions for single INSERT')) return { kind: 'too_large', why };
  if (BAD_ROWS.has(code)) return { kind: 'refused', why };
  if (NEEDS_A_PERSON.has(code)) {
    return { kind: 'retry', why: `${why}; correct the table, its address or the login in the destinations file` };
  }
  if (RETRIED.has(code)) return { kind: 'retry', why };
  // An exception is no success, whatever the status that was sent before it came.
  return verdict.kind === 'delivered' ? { kind: 'failed', why } : verdict;
}

const LOOKED_AT_BYTES = 4_096;
const TOO_MANY_PARTS = 252;

/** Rows that cannot be read: CANNOT_PARSE_…, INCORRECT_DATA and the like. */
const BAD_ROWS: ReadonlySet<number> = new Set([6, 25, 26, 27, 33, 38, 41, 69, 72, 117, 130, 321, 366, 441]);

/** Without the table, a column, a right or a setting nothing will ever be taken, and nothing is wrong with the rows. */
const NEEDS_A_PERSON: ReadonlySet<number> = new Set([
  8, // THERE_IS_NO_COLUMN
  10, // NOT_FOUND_COLUMN_IN_BLOCK
  16, // NO_SUCH_COLUMN_IN_TABLE
  36, // BAD_ARGUMENTS
  44, // ILLEGAL_COLUMN
  47, // UNKNOWN_IDENTIFIER
  48, // NOT_IMPLEMENTED
  53, // TYPE_MISMATCH
  60, // UNKNOWN_TABLE
  62, // SYNTAX_ERROR
  81, // UNKNOWN_DATABASE
  115, // UNKNOWN_SETTING
  164, // READONLY
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  195, // IP_ADDRESS_NOT_ALLOWED
  218, // TABLE_IS_DROPPED
  452, // SETTING_CONSTRAINT_VIOLATION
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
]);

/** The server is busy, full, cut off or not sure: the deduplication token makes another try harmless. */
const RETRIED: ReadonlySet<number> = new Set([
  159, // TIMEOUT_EXCEEDED
  201, // QUOTA_EXPIRED
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  TOO_MANY_PARTS,
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  364, // RECEIVED_ERROR_TOO_MANY_REQUESTS
  394, // QUERY_WAS_CANCELLED
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  999, // KEEPER_EXCEPTION
]);
