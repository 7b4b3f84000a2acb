import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { retryBriefly } from './broker-links.ts';

afterEach(() => {
  jest.useRealTimers();
});

describe('retryBriefly', () => {
  /** Milliseconds at which a request is sent that is refused `refusals` times. */
  async function attempts(refusals: number, withinMs: number): Promise<{ atMs: number[]; failure: unknown }> {
    jest.useFakeTimers();
    const startMs = performance.now();
    const atMs: number[] = [];
    let failure: unknown;
    const done = retryBriefly(
      async () => {
        atMs.push(performance.now() - startMs);
        if (atMs.length <= refusals) throw Object.assign(new Error('refused'), { type: 'CONCURRENT_TRANSACTIONS' });
      },
      { doing: 'testing', until: startMs + withinMs, isWorthRetry: () => true },
    ).catch((error) => {
      failure = error;
    });
    await jest.advanceTimersByTimeAsync(withinMs * 2);
    await done;
    return { atMs, failure };
  }

  it('asks again after 10 ms, not after the 300 that kafkajs waits between two transactions (K9)', async () => {
    const { atMs, failure } = await attempts(4, 1_000);
    expect(failure).toBeUndefined();
    expect(atMs.slice(0, 2)).toEqual([0, 10]);
    expect(atMs.at(-1)).toBeLessThan(100);
  });

  it('asks ever less often, but at least four times a second, and gives up in time', async () => {
    const { atMs, failure } = await attempts(Number.POSITIVE_INFINITY, 5_000);
    expect(failure).toMatchObject({ code: 'KAFKA_REQUEST_FAILED' });
    const pauses = atMs.slice(1).map((ms, i) => ms - (atMs[i] as number));
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBeLessThanOrEqual(251);
    expect(atMs.at(-1)).toBeLessThanOrEqual(5_000);
  });
});
