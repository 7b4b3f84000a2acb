/** How a destination samples whole traces, as an operator declares it. */
export interface Sampling {
  /** In order: the first that fits a trace decides; the last one fits all. */
  readonly rules: readonly SamplingRule[];
  /** Name of the span attribute that gets the weight; empty: none. */
  readonly weightAttribute: string;
}

export interface SamplingRule {
  /** In metrics. */
  readonly name: string;
  /** All of these must hold. */
  readonly conditions: readonly Condition[];
  /** Share of the traces that is kept, by trace id. */
  readonly ratio: number;
  /** Of all partitions together; undefined: no limit. Above it, the share is lowered. */
  readonly tracesPerSecondMax: number | undefined;
}

export type Condition =
  /** A span of the trace has status ERROR. */
  | { readonly kind: 'error' }
  /** It took longer than this quantile of the traces with its root operation. */
  | { readonly kind: 'slow'; readonly quantile: number }
  /** It took longer than so many nanoseconds. */
  | { readonly kind: 'longer'; readonly nanos: bigint }
  /** It passes a service that an open incident names as the cause. */
  | { readonly kind: 'incident' }
  /** One span fits all that is said: its service, name, and attributes (its own or its resource's). */
  | { readonly kind: 'span'; readonly span: SpanCondition };

export interface SpanCondition {
  readonly services: readonly TextPattern[];
  readonly operations: readonly TextPattern[];
  readonly attributes: readonly { readonly key: string; readonly values: readonly TextPattern[] }[];
}

/** Text with `*` for any number of characters, split at the stars. */
export type TextPattern = readonly string[];

export function textPattern(text: string): TextPattern {
  return text.split('*');
}

/** In time that grows with the length of the text alone times the number of stars: nothing is tried twice. */
export function fitsPattern(text: string, pattern: TextPattern): boolean {
  const first = pattern[0] ?? '';
  if (pattern.length === 1) return text === first;
  const last = pattern.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of pattern.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** No patterns: anything fits. */
export function fitsAny(text: string, patterns: readonly TextPattern[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => fitsPattern(text, pattern));
}
