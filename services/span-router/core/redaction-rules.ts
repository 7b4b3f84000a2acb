import type { ValuePatterns } from './value-patterns.ts';

/** What happens to an attribute; a larger number is not a stronger one. */
export const ACTION = { keep: 0, drop: 1, hash: 2, cutQuery: 3, mask: 4 } as const;
export type Action = (typeof ACTION)[keyof typeof ACTION];

export interface RedactionNames {
  readonly drop: readonly string[];
  readonly hash: readonly string[];
  readonly mask: readonly string[];
  readonly keep: readonly string[];
  /** Attributes whose value is a URL: it loses its query string. */
  readonly cutQuery: readonly string[];
}

/**
 * Attribute names to redact, as fixed matchers: cost is one table look-up for nearly every attribute, and no input can
 * make it more than a comparison with each listed name.
 *
 * `name` matches the whole name; `*.name` also a name that ends with `.name`. ASCII case does not matter and `-` equals
 * `_`, because header names are written both ways. The most exact entry decides: a whole name before an ending, a
 * longer ending before a shorter one; of two equal entries the first of keep, drop, hash, mask, cutQuery.
 */
export class RedactionRules {
  /** The last two bytes of a name, folded → 1 + index of its bucket; 0: no rule ends like this. */
  private readonly byTail = new Uint16Array(0x10000);
  private readonly buckets: Rule[][] = [];

  /** What is redacted by what it looks like, whatever it is named; undefined: nothing. */
  readonly patterns: ValuePatterns | undefined;

  constructor(names: RedactionNames, patterns?: ValuePatterns) {
    this.patterns = patterns;
    const byPriority: [readonly string[], Action][] = [
      [names.keep, ACTION.keep],
      [names.drop, ACTION.drop],
      [names.hash, ACTION.hash],
      [names.mask, ACTION.mask],
      [names.cutQuery, ACTION.cutQuery],
    ];
    for (const [entries, action] of byPriority) for (const entry of entries) this.addRule(parseRule(entry, action));
    for (const bucket of this.buckets) bucket.sort(moreExactFirst);
  }

  /** The action for the attribute whose name is [start, end). */
  actionFor(bytes: Uint8Array, start: number, end: number): Action {
    const bucket = this.byTail[tailOf(bytes, start, end)] as number;
    if (bucket === 0) return ACTION.keep;
    for (const rule of this.buckets[bucket - 1]!) if (matches(rule, bytes, start, end)) return rule.action;
    return ACTION.keep;
  }

  private addRule(rule: Rule): void {
    const { name } = rule;
    const tail = tailOf(name, 0, name.length);
    const known = this.byTail[tail] as number;
    if (known !== 0) {
      this.buckets[known - 1]!.push(rule);
      return;
    }
    this.byTail[tail] = this.buckets.push([rule]);
  }
}

/** Whether an entry has the form of a rule: a name of at least two characters, or `*.` and such a name. */
export const REDACTION_NAME = /^(\*\.)?[^*\s]{2,255}$/;

interface Rule {
  /** Folded bytes. */
  readonly name: Uint8Array;
  readonly isEnding: boolean;
  readonly action: Action;
}

function parseRule(entry: string, action: Action): Rule {
  if (!REDACTION_NAME.test(entry)) throw new Error(`${entry} is not a redaction name`);
  const isEnding = entry.startsWith('*.');
  const name = Uint8Array.from(Buffer.from(isEnding ? entry.slice(2) : entry, 'utf8'), (byte) => FOLD[byte]!);
  return { name, isEnding, action };
}

function moreExactFirst(a: Rule, b: Rule): number {
  return Number(a.isEnding) - Number(b.isEnding) || b.name.length - a.name.length;
}

function matches(rule: Rule, bytes: Uint8Array, start: number, end: number): boolean {
  const { name } = rule;
  const from = end - name.length;
  if (from !== start && !(rule.isEnding && from > start && bytes[from - 1] === DOT)) return false;
  for (let i = name.length - 1; i >= 0; i--) if (FOLD[bytes[from + i]!] !== name[i]) return false;
  return true;
}

function tailOf(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 2) return end === start ? 0 : FOLD[bytes[start]!]!;
  return (FOLD[bytes[end - 2]!]! << 8) | FOLD[bytes[end - 1]!]!;
}

const DOT = 0x2e;
/** Byte → the byte it is compared as. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  return byte === 0x2d ? 0x5f : byte;
});
