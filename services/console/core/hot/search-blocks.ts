import type { BlockIndex } from './block-index.ts';
import { mayHave } from './bloom.ts';
import type { BlockFacts } from './open-block.ts';
import { TERM } from './term-hash.ts';

/** What can be asked of blocks alone. Times and durations in microseconds. */
export interface BlockQuery {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly durationMin: number;
  readonly durationMax: number;
  readonly failed: boolean | undefined;
  /** All of them. */
  readonly terms: readonly number[];
}

export interface Candidate<B> {
  readonly block: B;
  readonly ordinal: number;
  readonly start: number;
}

/**
 * The traces that have all terms, as far as hashes tell, the newest start first. Blocks are looked into as late as
 * possible: whoever has seen enough stops asking.
 */
export function* searchBlocks<B extends { readonly facts: BlockFacts }>(
  blocks: readonly B[],
  query: BlockQuery,
  indexOf: (block: B) => BlockIndex,
): Generator<Candidate<B>> {
  const worthwhile = blocks.filter((block) => mayMatch(block.facts, query));
  worthwhile.sort((a, b) => b.facts.startMax - a.facts.startMax);
  let waiting: Candidate<B>[] = [];
  for (const [i, block] of worthwhile.entries()) {
    const found = matches(block, query, indexOf);
    if (found.length > 0) waiting = waiting.concat(found).sort(newestFirst);
    const nextMax = worthwhile[i + 1]?.facts.startMax ?? Number.NEGATIVE_INFINITY;
    let given = 0;
    for (; given < waiting.length && (waiting[given] as Candidate<B>).start >= nextMax; given++) {
      yield waiting[given] as Candidate<B>;
    }
    if (given > 0) waiting = waiting.slice(given);
  }
}

function mayMatch(facts: BlockFacts, query: BlockQuery): boolean {
  if (facts.traceCount === 0 || facts.startMax < query.from || facts.startMin >= query.to) return false;
  if (facts.durationMax < Math.fround(query.durationMin)) return false;
  if (query.failed === true && !facts.hasFailed) return false;
  return query.terms.every((term) => mayHave(facts.bloom, term)) || mayHave(facts.bloom, TERM.overflow);
}

function matches<B extends { readonly facts: BlockFacts }>(
  block: B,
  query: BlockQuery,
  indexOf: (block: B) => BlockIndex,
): Candidate<B>[] {
  const { facts } = block;
  const fits = (ordinal: number): boolean => fitsColumns(facts, query, ordinal);
  const found: Candidate<B>[] = [];
  const take = (ordinal: number): void => {
    if (fits(ordinal)) found.push({ block, ordinal, start: facts.starts[ordinal] as number });
  };
  if (query.terms.length === 0) {
    for (let ordinal = 0; ordinal < facts.traceCount; ordinal++) take(ordinal);
    return found;
  }
  // Reading an index costs more than a look at the columns.
  if (!anyFits(facts, query)) return found;
  const index = indexOf(block);
  for (const ordinal of union(intersection(index, query.terms), index.find(TERM.overflow))) take(ordinal);
  return found;
}

function anyFits(facts: BlockFacts, query: BlockQuery): boolean {
  for (let ordinal = 0; ordinal < facts.traceCount; ordinal++) if (fitsColumns(facts, query, ordinal)) return true;
  return false;
}

function fitsColumns(facts: BlockFacts, query: BlockQuery, ordinal: number): boolean {
  const start = facts.starts[ordinal] as number;
  if (start < query.from || start >= query.to) return false;
  const duration = facts.durations[ordinal] as number;
  if (duration < Math.fround(query.durationMin) || duration > Math.fround(query.durationMax)) return false;
  return query.failed === undefined || (facts.failed[ordinal] === 1) === query.failed;
}

function intersection(index: BlockIndex, terms: readonly number[]): ArrayLike<number> & Iterable<number> {
  const lists = terms.map((term) => index.find(term)).sort((a, b) => a.length - b.length);
  const [rarest, ...others] = lists as [Uint16Array, ...Uint16Array[]];
  if (others.length === 0) return rarest;
  return rarest.filter((ordinal) => others.every((list) => includes(list, ordinal)));
}

function includes(sorted: Uint16Array, ordinal: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < ordinal) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === ordinal;
}

function union(a: ArrayLike<number> & Iterable<number>, b: Uint16Array): Iterable<number> {
  return b.length === 0 ? a : new Set([...a, ...b]);
}

function newestFirst(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return b.start - a.start;
}
