import { describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { BatchQueue, batchId, type ForwardedTrace, sealedTo, sealNote } from './batch.ts';
import { Circuit } from './circuit.ts';
import { type Attempted, decide, type Step } from './decide.ts';
import { judgeOtlp, partialSuccess } from './otlp-answer.ts';
import { judgeHttp, type Verdict } from './verdict.ts';

const NOW = Date.parse('2026-01-31T00:00:00Z');
const answer = (status: number, fields: { retryAfter?: string; body?: string } = {}) => ({
  status,
  retryAfter: fields.retryAfter ?? '',
  contentType: 'text/plain',
  body: Buffer.from(fields.body ?? ''),
});

describe('judgeHttp', () => {
  it.each<[number, Verdict['kind']]>([
    [200, 'delivered'],
    [202, 'delivered'],
    [301, 'retry'],
    [400, 'refused'],
    [401, 'retry'],
    [403, 'retry'],
    [404, 'retry'],
    [408, 'retry'],
    [413, 'too_large'],
    [415, 'refused'],
    [429, 'retry'],
    [500, 'failed'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
    [507, 'failed'],
    [0, 'refused'],
  ])('takes %d for %s', (status, kind) => expect(judgeHttp(answer(status), NOW).kind).toBe(kind));

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Sat, 31 Jan 2026 00:00:05 GMT', 5_000],
    ['Fri, 30 Jan 2026 00:00:00 GMT', 0],
    ['999999999', 600_000],
    ['soon', undefined],
    ['', undefined],
  ])('reads Retry-After %s', (retryAfter, waitMs) => {
    expect(judgeHttp(answer(503, { retryAfter }), NOW)).toMatchObject({ kind: 'retry', waitMs });
  });

  it('tells the beginning of what was answered, on one line', () => {
    const verdict = judgeHttp(answer(400, { body: `no\n\tsuch\u001b[31m\u0000 ${'x'.repeat(1_000)}` }), NOW) as {
      why: string;
    };
    expect(verdict.why).toMatch(/^it answered 400: no such \[31m x+$/);
    expect(verdict.why.length).toBeLessThan(250);
  });
});

describe('judgeOtlp', () => {
  const partial = Buffer.from([0x0a, 0x09, 0x08, 0xac, 0x02, 0x12, 0x04, ...Buffer.from('late')]);

  it('sees spans that were rejected in a success', () => {
    expect(partialSuccess(partial)).toEqual({ rejectedSpans: 300, message: 'late' });
    const success = { ...answer(200), contentType: 'application/x-protobuf', body: partial };
    expect(judgeOtlp(success, NOW)).toEqual({ kind: 'delivered', rejectedSpans: 300, why: 'late' });
    expect(judgeOtlp({ ...success, body: Buffer.alloc(0) }, NOW)).toEqual({ kind: 'delivered' });
  });

  it('takes a success whose body is something else for one', () => {
    expect(judgeOtlp({ ...answer(200), contentType: 'application/x-protobuf', body: Buffer.from('ok') }, NOW)).toEqual({
      kind: 'delivered',
    });
    expect(judgeOtlp({ ...answer(200), body: partial }, NOW)).toEqual({ kind: 'delivered' });
  });
});

describe('decide', () => {
  const tried: Attempted = { traces: 8, attempts: 1, othersDelivered: false, ageMs: 0, deadLetterAfterMs: 1_000 };
  it.each<[Exclude<Verdict['kind'], 'delivered'>, Partial<Attempted>, Step]>([
    ['refused', {}, 'split'],
    ['refused', { traces: 1 }, 'bury_refused'],
    ['refused', { ageMs: 5_000 }, 'split'],
    ['too_large', {}, 'split'],
    ['too_large', { traces: 1 }, 'bury_refused'],
    ['retry', { attempts: 1_000, othersDelivered: true }, 'again'],
    ['retry', { ageMs: 1_000 }, 'bury_old'],
    ['failed', { attempts: 2, othersDelivered: true }, 'again'],
    ['failed', { attempts: 3, othersDelivered: true }, 'split'],
    ['failed', { attempts: 3, othersDelivered: true, traces: 1 }, 'bury_refused'],
    ['failed', { attempts: 5 }, 'again'],
    ['failed', { attempts: 6 }, 'split'],
    ['failed', { attempts: 1_000, traces: 1 }, 'again'],
    ['failed', { ageMs: 1_000 }, 'bury_old'],
  ])('%s with %j: %s', (kind, fields, step) => expect(decide({ kind, why: '' }, { ...tried, ...fields })).toBe(step));
});

describe('Circuit', () => {
  function circuit() {
    let pauseMs = 50;
    return new Circuit({
      failuresMax: 3,
      nextPauseMs: () => {
        pauseMs *= 2;
        return pauseMs;
      },
      onSuccess: () => {
        pauseMs = 50;
      },
    });
  }

  it('opens after failures in a row, lets one ask, and closes by its success', () => {
    const made = circuit();
    made.failed(0, undefined);
    made.failed(0, undefined);
    made.succeeded();
    for (let i = 0; i < 2; i++) made.failed(0, undefined);
    expect([made.state(0), made.ask(0)]).toEqual(['closed', 0]);
    made.failed(0, undefined);
    expect([made.state(0), made.ask(40)]).toEqual(['open', 60]);
    expect(made.state(100)).toBe('half_open');
    expect(made.ask(100)).toBe(0);
    expect(made.ask(100)).toBeGreaterThan(0);
    made.failed(100, undefined);
    expect(made.ask(100)).toBe(200);
    expect(made.ask(300)).toBe(0);
    made.succeeded();
    expect([made.state(300), made.ask(300), made.ask(300)]).toEqual(['closed', 0, 0]);
  });

  it('holds everybody back for as long as the destination asks', () => {
    const made = circuit();
    made.failed(0, 5_000);
    expect([made.state(1_000), made.ask(1_000)]).toEqual(['closed', 4_000]);
    expect(made.ask(5_000)).toBe(0);
  });

  it('lets another one ask when the first gave up, and takes a refusal for life', () => {
    const made = circuit();
    for (let i = 0; i < 3; i++) made.failed(0, undefined);
    expect(made.ask(100)).toBe(0);
    made.gaveUp();
    expect(made.ask(100)).toBe(0);
    made.answered();
    expect([made.state(100), made.deliveries]).toEqual(['closed', 0]);
  });
});

describe('BatchQueue', () => {
  const trace = (offset: number, spans: number): ForwardedTrace => ({
    trace: assembledTrace(otlp([{ spans: Array.from({ length: spans }, (_, i) => ({ id: i + 1 })) }])),
    offset,
    appendMs: 0,
  });
  const offsets = (batch: readonly ForwardedTrace[] | undefined) => batch?.map(({ offset }) => offset);

  it('cuts by spans, in the order of the log, and the rest by time', () => {
    const queue = new BatchQueue({ spansMax: 4, bytesMax: 1e9, waitMs: 100 });
    for (const [offset, spans] of [2, 1, 2, 9, 1].entries()) queue.add(trace(offset, spans), 0);
    expect(offsets(queue.take(0))).toEqual([0, 1]);
    expect(queue.first?.offset).toBe(2);
    expect(offsets(queue.take(0))).toEqual([2]);
    expect(offsets(queue.take(0))).toEqual([3]);
    expect([queue.take(99), queue.dueInMs(40)]).toEqual([undefined, 60]);
    expect(offsets(queue.take(100))).toEqual([4]);
    expect([queue.take(1_000), queue.dueInMs(0), queue.first]).toEqual([undefined, undefined, undefined]);
  });

  it('cuts by bytes', () => {
    const bytes = trace(0, 1).trace.otlp.length;
    const queue = new BatchQueue({ spansMax: 1_000, bytesMax: bytes * 2, waitMs: 100 });
    for (let offset = 0; offset < 5; offset++) queue.add(trace(offset, 1), 0);
    expect(offsets(queue.take(0))).toEqual([0, 1]);
    expect(offsets(queue.take(0))).toEqual([2, 3]);
    expect(queue.take(0)).toBeUndefined();
  });

  it('cuts a batch that was on its way once more where it ended, whatever the limits', () => {
    const queue = new BatchQueue({ spansMax: 1, bytesMax: 1, waitMs: 0 });
    const trace = assembledTrace(otlp([{ spans: [{ id: 1 }] }]));
    for (const offset of [3, 5, 6, 9]) queue.add({ trace, offset, appendMs: 7 }, 0);
    const batch = queue.takeTo(6) ?? [];
    expect(batch.map(({ offset }) => offset)).toEqual([3, 5, 6]);
    expect([sealNote(batch), sealedTo(sealNote(batch)), sealedTo('')]).toEqual(['batch to 6', 6, undefined]);
    expect(batchId(batch, { topic: 't', partition: 2 })).toBe('t/2/3-6@7');
    expect(queue.takeTo(8)).toBeUndefined();
    expect(queue.take(0)?.map(({ offset }) => offset)).toEqual([9]);
    expect(queue.first).toBeUndefined();
  });
});
