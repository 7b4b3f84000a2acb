import type { Converted } from '../../codec/ingest/converted.ts';
import { decodeReference } from '../otlp-reference.ts';

/** Converts a record and reads the OTLP request with an implementation that is not ours. @throws Error with the detail. */
export function convert(decode: (bytes: Buffer) => Converted, record: Buffer | object) {
  const bytes = Buffer.isBuffer(record) ? record : Buffer.from(JSON.stringify(record));
  const converted = decode(bytes);
  if (!converted.ok) throw new Error(converted.detail);
  const { resourceSpans = [] } = decodeReference(converted.bytes);
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ scope, spans = [] }) =>
      spans.map((span) => ({
        ...span,
        resource: attributesOf(resource?.attributes),
        scope,
        attributes: attributesOf(span.attributes),
        events: (span.events ?? []).map((event) => ({ ...event, attributes: attributesOf(event.attributes) })),
        links: (span.links ?? []).map((link) => ({ ...link, attributes: attributesOf(link.attributes) })),
      })),
    ),
  );
}

/** Attributes as an object; each value under its one type, e.g. `{ stringValue: 'a' }` as `a`, an int as its digits. */
function attributesOf(list: readonly { key?: string; value?: object }[] = []): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key ?? '', Object.values(value ?? {})[0]]));
}
