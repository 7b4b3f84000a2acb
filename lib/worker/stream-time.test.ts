import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '../kafka/types.ts';
import { StreamTime } from './stream-time.ts';

const record = (timestampMs: number): LogRecord => ({
  offset: 0,
  timestampMs,
  key: null,
  value: null,
  headers: new Map(),
});

describe('StreamTime', () => {
  it('is the append time of the newest record while the reader is behind, however long it takes', () => {
    const time = new StreamTime(0);
    time.read([record(1_000), record(3_000), record(2_000)], false, 50);
    time.read([], false, 60_000);
    expect(time.ms).toBe(3_000);
  });

  it('goes on with the time that passed once the log was read to its end', () => {
    const time = new StreamTime(0);
    time.read([record(1_000)], true, 100);
    time.read([], true, 5_100);
    expect(time.ms).toBe(6_000);
  });

  it('counts whole milliseconds, though the clock of the process does not', () => {
    const time = new StreamTime(0);
    time.read([record(1_000)], true, 100.25);
    time.read([], true, 103.9);
    expect(time.ms).toBe(1_003);
  });

  it('begins to count anew with each record', () => {
    const time = new StreamTime(0);
    time.read([record(1_000)], true, 100);
    time.read([record(1_200)], true, 300);
    time.read([], true, 1_300);
    expect(time.ms).toBe(2_200);
  });

  it('does not count the time before the log was known to be at its end', () => {
    const time = new StreamTime(0);
    time.read([record(1_000)], false, 100);
    time.read([], true, 90_000);
    expect(time.ms).toBe(1_000);
    time.read([], true, 90_500);
    expect(time.ms).toBe(1_500);
  });

  it('never goes back, and stays 0 before the first record', () => {
    const empty = new StreamTime(0);
    empty.read([], true, 100);
    empty.read([], true, 99_999);
    expect(empty.ms).toBe(0);
    const time = new StreamTime(9_000);
    time.read([record(4_000)], true, 100);
    expect(time.ms).toBe(9_000);
  });
});
