import type { TimeRange } from '../../lib/archive/object-keys.ts';
import { UsageError } from '../command.ts';

/**
 * @param since an ISO time, or how long ago: `90s`, `30m`, `2h`, `7d`. Default: 24 h ago.
 * @param until same; default: now.
 * @throws UsageError when one is neither, or nothing lies between them.
 */
export function parseRange(since: string | undefined, until: string | undefined, nowMs: number): TimeRange {
  const range = {
    sinceMs: parseTime(since ?? '24h', '--since', nowMs),
    untilMs: until === undefined ? nowMs : parseTime(until, '--until', nowMs),
  };
  if (range.sinceMs >= range.untilMs) throw new UsageError('--since must be before --until.');
  return range;
}

/** Nanoseconds of a duration such as `250ms`, `1.5s`, `2m`. @throws UsageError */
export function parseDuration(text: string, name: string): bigint {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(text);
  if (match === null) throw new UsageError(`${name} must be a duration like 250ms, 1.5s or 2m, not '${text}'.`);
  return BigInt(Math.round(Number(match[1]) * (NANOS[match[2] as string] as number)));
}

function parseTime(text: string, name: string, nowMs: number): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  const ms = ago === null ? isoTime(text) : nowMs - Number(ago[1]) * (UNIT_MS[ago[2] as string] as number);
  // Year 0 to 9999, so that hours have folders that sort.
  if (Number.isNaN(ms) || ms < -62_167_219_200_000 || ms > 253_402_300_799_999) {
    throw new UsageError(`${name} must be like 30m, 2h, 7d or 2026-01-31T07:00:00Z, not '${text}'.`);
  }
  return ms;
}

function isoTime(text: string): number {
  return /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/.test(text) ? Date.parse(text) : Number.NaN;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const NANOS: Readonly<Record<string, number>> = { us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
