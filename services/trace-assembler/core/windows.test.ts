import { describe, expect, it } from '@jest/globals';
import { type TraceWindow, Windows } from './windows.ts';

const LIMITS = { idleTimeoutMs: 10_000, rootlessIdleTimeoutMs: 60_000, ageMaxMs: 300_000 };

function window(traceKey: string, openedAtMs: number, rootSeen: boolean): TraceWindow {
  return {
    traceKey,
    storeKey: traceKey,
    offsets: [openedAtMs],
    openedAtMs,
    lastSeenMs: openedAtMs,
    rootSeen,
    spanCount: 1,
    byteCount: 1,
    remembered: null,
    predecessor: null,
    contextLost: false,
    emitted: null,
    dueBucket: -1,
  };
}

function dueAt(windows: Windows, nowMs: number): string[] {
  const due: string[] = [];
  windows.takeDue(nowMs, (taken, reason) => due.push(`${taken.traceKey} ${reason}`));
  return due;
}

describe('Windows', () => {
  it('closes to the millisecond: idle after 10 s with a root, after 60 s without one', () => {
    const windows = new Windows(LIMITS);
    windows.add(window('rooted', 1_000, true));
    windows.add(window('rootless', 1_000, false));
    expect(dueAt(windows, 10_999)).toEqual([]);
    expect(dueAt(windows, 11_000)).toEqual(['rooted idle']);
    expect(dueAt(windows, 60_999)).toEqual([]);
    expect(dueAt(windows, 61_000)).toEqual(['rootless idle']);
    expect(windows.size).toBe(0);
  });

  it('is put off by each span, but never beyond the age limit', () => {
    const windows = new Windows(LIMITS);
    const busy = window('busy', 0, true);
    windows.add(busy);
    for (let now = 5_000; now < 300_000; now += 5_000) {
      busy.lastSeenMs = now;
      expect(dueAt(windows, now)).toEqual([]);
    }
    expect(dueAt(windows, 300_000)).toEqual(['busy age']);
  });

  it('falls due earlier once its root has come', () => {
    const windows = new Windows(LIMITS);
    const late = window('late', 0, false);
    windows.add(late);
    late.lastSeenMs = 30_000;
    late.rootSeen = true;
    windows.rootCame(late);
    expect(dueAt(windows, 39_999)).toEqual([]);
    expect(dueAt(windows, 40_000)).toEqual(['late idle']);
    expect(dueAt(windows, 100_000)).toEqual([]);
  });

  it('knows the first offset of the oldest window', () => {
    const windows = new Windows(LIMITS);
    expect(windows.lowestOffset()).toBeUndefined();
    const first = window('first', 7, true);
    windows.add(first);
    windows.add(window('second', 9, true));
    expect(windows.lowestOffset()).toBe(7);
    windows.remove(first);
    expect(windows.lowestOffset()).toBe(9);
  });

  it('closes nothing twice, whatever time does', () => {
    const windows = new Windows(LIMITS);
    const removed = window('removed', 0, true);
    windows.add(removed);
    windows.add(window('stays', 0, true));
    windows.remove(removed);
    expect(dueAt(windows, 1_000_000_000)).toEqual(['stays age']);
    expect(dueAt(windows, 2_000_000_000)).toEqual([]);
  });
});
