import { describe, expect, it } from '@jest/globals';
import { otlp } from '../../../../lib/testkit/otlp-builder.ts';
import { decodeReference, encodeReference, type ReferenceRequest } from '../../../../lib/testkit/otlp-reference.ts';
import { firstTracestate, markSpans } from './mark-spans.ts';
import { thresholdOf } from './threshold.ts';

const spansOf = (request: ReferenceRequest) =>
  (request.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans));

describe('markSpans', () => {
  it('writes tracestate and weight on every span, and changes nothing else', () => {
    const request = otlp([
      {
        service: 'a',
        spans: [
          { id: 1, attributes: { x: 1 } },
          { id: 2, error: 'no' },
        ],
      },
      { service: 'b', spans: [{ id: 3 }] },
    ]);
    const before = decodeReference(request);
    const after = decodeReference(markSpans(request, thresholdOf(0.25), 'sampling.weight'));
    for (const span of spansOf(after)) {
      expect(span.traceState).toBe('ot=th:c');
      expect(span.attributes?.at(-1)).toEqual({ key: 'sampling.weight', value: { doubleValue: 4 } });
    }
    for (const span of spansOf(after)) {
      delete span.traceState;
      span.attributes?.pop();
      if (span.attributes?.length === 0) delete span.attributes;
    }
    for (const span of spansOf(before)) if (span.attributes?.length === 0) delete span.attributes;
    expect(after).toEqual(before);
  });

  it('keeps what others wrote, and the higher of two thresholds', () => {
    const spanId = Buffer.alloc(8, 1);
    const traceId = Buffer.alloc(16, 1);
    const request = encodeReference({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                { traceId, spanId, traceState: 'a=1,ot=th:8;rv:00000000000001' },
                { traceId, spanId, traceState: 'ot=th:e' },
              ],
            },
          ],
        },
      ],
    });
    expect(firstTracestate(request)).toBe('a=1,ot=th:8;rv:00000000000001');
    const spans = spansOf(decodeReference(markSpans(request, thresholdOf(0.25), 'w')));
    expect(spans.map(({ traceState }) => traceState)).toEqual(['ot=th:c;rv:00000000000001,a=1', 'ot=th:e']);
    expect(spans.map(({ attributes }) => attributes?.[0]?.value?.doubleValue)).toEqual([4, 8]);
  });

  it('leaves the attribute out when it has no name', () => {
    const [span] = spansOf(decodeReference(markSpans(otlp([{ spans: [{ id: 1 }] }]), 0n, '')));
    expect([span?.traceState, span?.attributes ?? []]).toEqual(['ot=th:0', []]);
  });

  it('finds no tracestate where there is none', () => {
    expect(firstTracestate(Buffer.alloc(0))).toBe('');
    expect(firstTracestate(otlp([{ spans: [{ id: 1 }] }]))).toBe('');
  });
});
