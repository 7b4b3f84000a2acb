import type { ZipkinSpan } from './zipkin-trace.ts';

/** Zipkin's `annotationQuery`: all of it must hold. */
export interface AnnotationQuery {
  /** `key=value`: tags. */
  readonly tags: readonly (readonly [key: string, value: string])[];
  /** Bare words: the value of an annotation, or the key of a tag. */
  readonly words: readonly string[];
}

/** Parts are joined by ` and `. @returns undefined when a part is empty or there are too many. */
export function annotationQuery(text: string): AnnotationQuery | undefined {
  const tags: [string, string][] = [];
  const words: string[] = [];
  const parts = text.split(' and ').map((part) => part.trim());
  if (parts.length > PARTS_MAX) return undefined;
  for (const part of parts) {
    const at = part.indexOf('=');
    if (part === '' || at === 0) return undefined;
    if (at > 0) tags.push([part.slice(0, at), part.slice(at + 1)]);
    else words.push(part);
  }
  return { tags, words };
}

/** Each word is on some span of the trace. */
export function hasWords(spans: readonly ZipkinSpan[], words: readonly string[]): boolean {
  return words.every((word) =>
    spans.some(
      ({ tags = {}, annotations = [] }) => Object.hasOwn(tags, word) || annotations.some(({ value }) => value === word),
    ),
  );
}

const PARTS_MAX = 10;
