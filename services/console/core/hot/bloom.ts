/** A Bloom filter over distinct terms: ten bits a term and four probes, so about one in a hundred says yes wrongly. */
export function bloomOf(terms: Uint32Array): Uint8Array {
  let bytes = BYTES_MIN;
  while (bytes * 8 < terms.length * BITS_PER_TERM) bytes *= 2;
  const bloom = new Uint8Array(bytes);
  const mask = bytes * 8 - 1;
  for (const term of terms) {
    let bit = term;
    const step = stepOf(term);
    for (let probe = 0; probe < PROBES; probe++) {
      const at = bit & mask;
      bloom[at >>> 3] = (bloom[at >>> 3] as number) | (1 << (at & 7));
      bit = (bit + step) | 0;
    }
  }
  return bloom;
}

export function mayHave(bloom: Uint8Array, term: number): boolean {
  const mask = bloom.length * 8 - 1;
  let bit = term;
  const step = stepOf(term);
  for (let probe = 0; probe < PROBES; probe++) {
    const at = bit & mask;
    if (((bloom[at >>> 3] as number) & (1 << (at & 7))) === 0) return false;
    bit = (bit + step) | 0;
  }
  return true;
}

function stepOf(term: number): number {
  return Math.imul(term, 0x9e3779b1) | 1;
}

const BITS_PER_TERM = 10;
const PROBES = 4;
const BYTES_MIN = 64;
