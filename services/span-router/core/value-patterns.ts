import { RE2JS, RE2Set } from 're2js';

export const PATTERN_ACTIONS = ['mask', 'hash', 'drop'] as const;

/** A kind of text that must not be kept, wherever it stands. */
export interface ValuePattern {
  /** In metrics. */
  readonly name: string;
  /** In RE2's syntax: no look-around, no back-references. */
  readonly pattern: string;
  /** mask and hash replace each match, drop the whole text. */
  readonly action: (typeof PATTERN_ACTIONS)[number];
}

/** Stands in for what is masked; its length tells nothing. */
export const MASK = '***';

/**
 * Finds and replaces text by patterns, in time that grows with the text alone: RE2 runs an automaton and never tries
 * twice, whatever pattern and text are made for.
 */
export class ValuePatterns {
  readonly names: readonly string[];
  private readonly patterns: readonly { readonly re: RE2JS; readonly action: ValuePattern['action'] }[];
  /** All patterns in one automaton: most texts fit none, and one pass says so. */
  private readonly any = new RE2Set();

  /** @param patterns each without `patternMistake`. */
  constructor(patterns: readonly ValuePattern[]) {
    this.names = patterns.map(({ name }) => name);
    this.patterns = patterns.map(({ pattern, action }) => ({ re: RE2JS.compile(pattern), action }));
    for (const { pattern } of patterns) this.any.add(pattern);
    this.any.compile();
  }

  /** Whether the UTF-8 text at [start, end) holds something to redact. */
  fits(bytes: Uint8Array, start: number, end: number): boolean {
    return start < end && this.any.match(utf8(bytes, start, end)).length > 0;
  }

  /**
   * @param count told the index in `names` of each pattern that was found.
   * @returns the text without what the patterns say, one after the other; undefined when none fits.
   */
  redact(text: string, hash: (value: Uint8Array) => string, count: (index: number) => void): string | undefined {
    let redacted = text;
    for (const index of this.any.match(text).sort((a, b) => a - b)) {
      const { re, action } = this.patterns[index] as (typeof this.patterns)[number];
      // What a pattern before it took out is not found again.
      if (!re.matcher(redacted).find()) continue;
      count(index);
      if (action === 'drop') return '';
      redacted = re
        .matcher(redacted)
        .replaceAll((match: string) => (action === 'mask' ? MASK : hash(Buffer.from(match))));
    }
    return redacted === text ? undefined : redacted;
  }
}

/** Why a pattern cannot be used; undefined when it can. */
export function patternMistake(pattern: string): string | undefined {
  try {
    return RE2JS.compile(pattern).matcher('').find()
      ? 'fits an empty text, so it would be found everywhere'
      : undefined;
  } catch (error) {
    return `is not of RE2's syntax: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).utf8Slice();
}
