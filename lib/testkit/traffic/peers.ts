import type { Statement } from './operations.ts';
import { type OutageSchedule, outageAt } from './outage.ts';
import type { SeededRandom } from './random.ts';

/** How one call to the database or the cache went, as its client saw it. Durations are milliseconds. */
export interface PeerCall {
  readonly durationMs: number;
  readonly error?: PeerError;
}

export interface PeerError {
  /** OpenTelemetry `error.type`. */
  readonly type: string;
  readonly exception: string;
  readonly message: string;
  /** `db.response.status_code`: the SQLSTATE when the database answered. */
  readonly responseCode?: string;
  /** What the service that called answers with. */
  readonly httpStatus: 500 | 503;
}

/**
 * While the database fails over, most calls are refused at once; the others hang on connections whose other end is
 * gone, for up to the driver's socket time-out, which is a little longer than the gateway waits.
 */
export function callDatabase(
  random: SeededRandom,
  statement: Statement,
  atMs: number,
  outages: OutageSchedule | undefined,
): PeerCall {
  if (outageAt(outages, atMs) === undefined) {
    const durationMs = random.logNormal(statement.medianMs, 0.55);
    return random.chance(DEADLOCK_RATIO) ? { durationMs: durationMs + 1000, error: DEADLOCK } : { durationMs };
  }
  if (!random.chance(HANG_RATIO)) {
    return random.chance(0.6)
      ? { durationMs: random.logNormal(0.8, 0.4), error: REFUSED }
      : { durationMs: random.logNormal(2.2, 0.4), error: STARTING_UP };
  }
  const hangMs = random.between(HANG_MS_MIN, HANG_MS_MAX);
  if (hangMs < SOCKET_TIMEOUT_MS) return { durationMs: hangMs, error: RESET };
  return { durationMs: SOCKET_TIMEOUT_MS + random.between(5, 900), error: SOCKET_TIMEOUT };
}

/** The cache stays up; it is slow now and then, and its client gives up after 50 ms. */
export function callCache(random: SeededRandom): PeerCall {
  if (random.chance(CACHE_TIMEOUT_RATIO)) return { durationMs: 50 + random.float(), error: CACHE_TIMEOUT };
  return { durationMs: Math.min(45, random.logNormal(0.45, 0.5)) };
}

const DEADLOCK_RATIO = 0.002;
const CACHE_TIMEOUT_RATIO = 0.0005;
const HANG_RATIO = 0.3;
const HANG_MS_MIN = 2_000;
const HANG_MS_MAX = 45_000;
const SOCKET_TIMEOUT_MS = 30_000;

const DEADLOCK: PeerError = {
  type: '40P01',
  exception: 'org.postgresql.util.PSQLException',
  message: 'ERROR: deadlock detected',
  responseCode: '40P01',
  httpStatus: 500,
};
const REFUSED: PeerError = {
  type: 'java.net.ConnectException',
  exception: 'java.net.ConnectException',
  message: 'Connection to database:5432 refused',
  httpStatus: 503,
};
const STARTING_UP: PeerError = {
  type: '57P03',
  exception: 'org.postgresql.util.PSQLException',
  message: 'FATAL: the database system is starting up',
  responseCode: '57P03',
  httpStatus: 503,
};
const RESET: PeerError = {
  type: 'java.net.SocketException',
  exception: 'java.net.SocketException',
  message: 'Connection reset',
  httpStatus: 503,
};
const SOCKET_TIMEOUT: PeerError = {
  type: 'java.net.SocketTimeoutException',
  exception: 'java.net.SocketTimeoutException',
  message: 'Read timed out',
  httpStatus: 503,
};
const CACHE_TIMEOUT: PeerError = {
  type: 'io.lettuce.core.RedisCommandTimeoutException',
  exception: 'io.lettuce.core.RedisCommandTimeoutException',
  message: 'Command timed out after 50 millisecond(s)',
  httpStatus: 500,
};
