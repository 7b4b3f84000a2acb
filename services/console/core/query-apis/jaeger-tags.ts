import type { Trace } from '../api-types.ts';

/** What tags of Jaeger ask for, in terms of a search. */
export interface JaegerTagQuery {
  readonly attributes: readonly (readonly [key: string, value: string])[];
  readonly failed: boolean | undefined;
  /** Of a span of the service and operation that are asked for. */
  readonly kind: string | undefined;
}

/** Tags that stand for fields of a span (see `jaegerTrace`) ask for these fields. */
export function jaegerTagQuery(tags: Readonly<Record<string, string>>): JaegerTagQuery {
  const { error, 'span.kind': kind, 'otel.status_code': status, ...attributes } = tags;
  const isError = status === 'ERROR' || error === 'true';
  return {
    attributes: Object.entries(attributes),
    failed: isError ? true : error === 'false' ? false : undefined,
    kind,
  };
}

/** A JSON object of texts. @returns undefined when it is none, or has more than a search may ask for. */
export function readJaegerTags(text: string): Record<string, string> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
    const entries = Object.entries(json);
    if (entries.length > TAGS_MAX || entries.some(([key]) => key === '')) return undefined;
    return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
  } catch {
    return undefined;
  }
}

export function hasKind(
  { spans }: Pick<Trace, 'spans'>,
  kind: string,
  of: { readonly service?: string | undefined; readonly operation?: string | undefined },
): boolean {
  return spans.some(
    (span) =>
      span.kind === kind &&
      (of.service === undefined || span.service === of.service) &&
      (of.operation === undefined || span.operation === of.operation),
  );
}

const TAGS_MAX = 10;
