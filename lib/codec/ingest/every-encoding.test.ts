import { describe, expect, it } from '@jest/globals';
import { ENCODED_CALL, TRACE } from '../../testkit/formats/one-call.ts';
import { otlpToJson } from '../otlp-json.ts';
import { DECODERS, type SpanEncoding } from './decoders.ts';
import { sniffEncoding } from './sniff.ts';

interface Found {
  readonly resource?: { readonly attributes?: readonly FoundAttribute[] };
  readonly scopeSpans: readonly { readonly spans?: readonly ({ attributes?: readonly FoundAttribute[] } & object)[] }[];
}
interface FoundAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/** The spans of an OTLP request, flat, each with its service. */
function spansOf(bytes: Buffer) {
  const { resourceSpans = [] } = otlpToJson(bytes) as unknown as { resourceSpans?: readonly Found[] };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        ...span,
        service: textOf(resource?.attributes, 'service.name'),
        method: textOf(span.attributes, 'http.request.method'),
      })),
    ),
  );
}

function textOf(attributes: readonly FoundAttribute[] = [], key: string) {
  return attributes.find((attribute) => attribute.key === key)?.value.stringValue;
}

describe('one call between two services, in every encoding', () => {
  it.each(ENCODED_CALL)('%s is recognised, and becomes the same spans', (encoding, records) => {
    const spans = records.flatMap((record) => {
      expect(sniffEncoding(record)).toBe(encoding);
      if (encoding === 'otlp_proto') return spansOf(record);
      const decoded = DECODERS[encoding as Exclude<SpanEncoding, 'otlp_proto'>](record);
      if (!decoded.ok) throw new Error(decoded.detail);
      return spansOf(decoded.bytes);
    });
    expect(spans).toMatchObject(TRACE);
  });
});
