import { describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../../lib/codec/records.ts';
import { Backoff } from '../../../lib/runtime/backoff.ts';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import type { Batch } from '../core/batch.ts';
import { Circuit, type CircuitState } from '../core/circuit.ts';
import type { Verdict } from '../core/verdict.ts';
import type { DestinationEvents } from '../ports.ts';
import { Delivery } from './delivery.ts';

const RETRY = { firstMs: 1_000, maxMs: 8_000, random: { nextFloat: () => 0, hex: () => '' } };
const DEAD_LETTER_AFTER_MS = 60_000;

/** A destination that answers as `answer` says, in a world where sleeping is how time passes. */
function world(answer: (offsets: readonly number[], nowMs: number) => Verdict) {
  let nowMs = 0;
  const requests: { atMs: number; offsets: number[] }[] = [];
  const letters: DeadLetter[] = [];
  const states: CircuitState[] = [];
  const pauses = new Backoff(RETRY);
  const circuit = new Circuit({
    failuresMax: 3,
    nextPauseMs: () => pauses.nextMs(),
    onSuccess: () => pauses.reset(),
  });
  const delivery = new Delivery(
    { destination: { name: 'apm', deadLetterAfterMs: DEAD_LETTER_AFTER_MS }, topic: 't', partition: 3 },
    {
      sender: {
        async send(batch) {
          const offsets = batch.map(({ offset }) => offset);
          requests.push({ atMs: nowMs, offsets });
          return answer(offsets, nowMs);
        },
        close: async () => {},
      },
      clock: {
        monotonicMs: () => nowMs,
        wallMs: () => nowMs,
        sleep: async (ms) => {
          nowMs += ms;
        },
      },
      deadLetters: async (given) => void letters.push(...given),
      sha256: () => 'x',
      events: {
        delivered() {},
        failed() {},
        buried() {},
        rejectedSpans() {},
        circuit: (state: CircuitState) => void (states.at(-1) === state || states.push(state)),
      } as unknown as DestinationEvents,
    },
    circuit,
    new Backoff(RETRY),
  );
  const buried = () => letters.map(({ offset, reason, code }) => ({ offset, reason, code }));
  return { delivery, requests, buried, letters, states, circuit };
}

function batchOf(count: number, appendMs: (offset: number) => number = () => 0): Batch {
  const trace = assembledTrace(otlp([{ spans: [{ id: 1 }] }]));
  return Array.from({ length: count }, (_, offset) => ({ trace, offset, appendMs: appendMs(offset) }));
}

const TAKEN: Verdict = { kind: 'delivered' };
const DOWN: Verdict = { kind: 'retry', why: 'down' };

describe('Delivery', () => {
  it('sends a batch once when it is taken', async () => {
    const { delivery, requests, buried } = world(() => TAKEN);
    expect(await delivery.deliver(batchOf(4))).toBe(true);
    expect(requests).toEqual([{ atMs: 0, offsets: [0, 1, 2, 3] }]);
    expect(buried()).toEqual([]);
  });

  it('tries the whole batch again with growing pauses until the destination is back', async () => {
    const { delivery, requests, buried, states } = world((_, nowMs) => (nowMs < 20_000 ? DOWN : TAKEN));
    expect(await delivery.deliver(batchOf(2))).toBe(true);
    expect(requests.every(({ offsets }) => offsets.join() === '0,1')).toBe(true);
    const gaps = requests.slice(1).map(({ atMs }, i) => atMs - (requests[i]?.atMs ?? 0));
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(requests.length).toBeLessThan(8);
    expect([states[0], states[1], states.at(-1), buried()]).toEqual(['closed', 'open', 'closed', []]);
  });

  it('waits as long as the destination asks', async () => {
    const { delivery, requests } = world((_, nowMs) => (nowMs === 0 ? { ...DOWN, waitMs: 30_000 } : TAKEN));
    await delivery.deliver(batchOf(1));
    expect(requests.map(({ atMs }) => atMs)).toEqual([0, 30_000]);
  });

  it('gives up the one trace that is refused and delivers the others of its batch', async () => {
    const { delivery, requests, buried, letters } = world((offsets) =>
      offsets.includes(5) ? { kind: 'refused', why: 'bad span' } : TAKEN,
    );
    await delivery.deliver(batchOf(8));
    expect(buried()).toEqual([{ offset: 5, reason: 'forward_refused', code: 'FORWARD_REFUSED' }]);
    expect(letters[0]).toMatchObject({ topic: 't', partition: 3, service: 'forwarder', payload: null });
    expect(letters[0]?.detail).toContain('bad span');
    const taken = requests.filter(({ offsets }) => !offsets.includes(5)).flatMap(({ offsets }) => offsets);
    expect(taken.sort()).toEqual([0, 1, 2, 3, 4, 6, 7]);
  });

  it('halves what is too large', async () => {
    const { delivery, requests, buried } = world((offsets) =>
      offsets.length > 2 ? { kind: 'too_large', why: '413' } : TAKEN,
    );
    await delivery.deliver(batchOf(5));
    expect(requests.map(({ offsets }) => offsets.length)).toEqual([5, 2, 3, 1, 2]);
    expect(buried()).toEqual([]);
  });

  it('finds the trace that breaks the receiver, though each failure could be an outage', async () => {
    const { delivery, buried } = world((offsets) => (offsets.includes(2) ? { kind: 'failed', why: '500' } : TAKEN));
    await delivery.deliver(batchOf(4, () => 0));
    expect(buried()).toEqual([{ offset: 2, reason: 'forward_refused', code: 'FORWARD_REFUSED' }]);
  });

  it('keeps everything through an outage that answers 500', async () => {
    const { delivery, buried } = world((_, nowMs) => (nowMs < 50_000 ? { kind: 'failed', why: '500' } : TAKEN));
    await delivery.deliver(batchOf(4));
    expect(buried()).toEqual([]);
  });

  it('gives up only what is too old, and the rest when it is', async () => {
    const { delivery, buried } = world(() => DOWN);
    await delivery.deliver(batchOf(3, (offset) => offset * 10_000));
    expect(buried()).toEqual(
      [0, 1, 2].map((offset) => ({ offset, reason: 'forward_too_old', code: 'FORWARD_TOO_OLD' })),
    );
  });

  it('drops an old backlog without asking while the circuit is open, and asks when it may', async () => {
    const { delivery, requests, buried, circuit } = world(() => DOWN);
    await delivery.deliver(batchOf(1, () => -DEAD_LETTER_AFTER_MS));
    for (let i = 0; i < 3; i++) circuit.failed(0, undefined);
    const before = requests.length;
    for (let i = 0; i < 50; i++) await delivery.deliver(batchOf(1, () => -DEAD_LETTER_AFTER_MS));
    expect(buried()).toHaveLength(51);
    expect(requests.length).toBe(before);
  });

  it('sends old traces all the same when the destination works', async () => {
    const { delivery, buried } = world(() => TAKEN);
    await delivery.deliver(batchOf(2, () => -10 * DEAD_LETTER_AFTER_MS));
    expect(buried()).toEqual([]);
  });

  it('stops between requests, and says that the batch is not done', async () => {
    const made = world(() => {
      made.delivery.stop();
      return DOWN;
    });
    expect(await made.delivery.deliver(batchOf(1))).toBe(false);
    expect(made.requests).toHaveLength(1);
  });
});
