/**
 * Which traces of a block have which term, laid out so that it is used as it is read from disk:
 *
 *   term count, posting count (uint32) │ terms, ascending (uint32) │ end of each one's postings (uint32) │ postings (uint16)
 */
export class BlockIndex {
  readonly terms: Uint32Array;
  private readonly ends: Uint32Array;
  private readonly postings: Uint16Array;

  constructor(terms: Uint32Array, ends: Uint32Array, postings: Uint16Array) {
    this.terms = terms;
    this.ends = ends;
    this.postings = postings;
  }

  static read(encoded: Uint8Array): BlockIndex {
    const bytes = encoded.byteOffset % 4 === 0 ? encoded : encoded.slice();
    const [termCount = 0, postingCount = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset, 2);
    const at = bytes.byteOffset + HEADER_BYTES;
    return new BlockIndex(
      new Uint32Array(bytes.buffer, at, termCount),
      new Uint32Array(bytes.buffer, at + termCount * 4, termCount),
      new Uint16Array(bytes.buffer, at + termCount * 8, postingCount),
    );
  }

  /** @param pairs term × PAIR_SCALE + ordinal, in any order; sorted in place. */
  static of(pairs: Float64Array): BlockIndex {
    pairs.sort();
    const terms = new Uint32Array(pairs.length);
    const ends = new Uint32Array(pairs.length);
    const postings = new Uint16Array(pairs.length);
    let count = 0;
    let before = -1;
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i] as number;
      const ordinal = pair % PAIR_SCALE;
      const term = (pair - ordinal) / PAIR_SCALE;
      if (term !== before) {
        terms[count] = term;
        if (count > 0) ends[count - 1] = i;
        count++;
        before = term;
      }
      postings[i] = ordinal;
    }
    if (count > 0) ends[count - 1] = pairs.length;
    return new BlockIndex(terms.slice(0, count), ends.slice(0, count), postings);
  }

  encode(): Uint8Array {
    const { terms, ends, postings } = this;
    const bytes = new Uint8Array(HEADER_BYTES + terms.length * 8 + postings.length * 2);
    new Uint32Array(bytes.buffer, 0, 2).set([terms.length, postings.length]);
    new Uint32Array(bytes.buffer, HEADER_BYTES, terms.length).set(terms);
    new Uint32Array(bytes.buffer, HEADER_BYTES + terms.length * 4, terms.length).set(ends);
    new Uint16Array(bytes.buffer, HEADER_BYTES + terms.length * 8, postings.length).set(postings);
    return bytes;
  }

  /** Ordinals of the traces that have the term, ascending. */
  find(term: number): Uint16Array {
    let low = 0;
    let high = this.terms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.terms[middle] as number) < term) low = middle + 1;
      else high = middle;
    }
    if (this.terms[low] !== term) return NONE;
    return this.postings.subarray(low === 0 ? 0 : this.ends[low - 1], this.ends[low]);
  }
}

/** More than the traces of a block. */
export const PAIR_SCALE = 65_536;
const HEADER_BYTES = 8;
const NONE = new Uint16Array(0);
