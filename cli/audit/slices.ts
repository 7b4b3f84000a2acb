import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { addFindings, type StageFindings } from './findings.ts';

/** The keys that one pass over the logs is about, and how many more it may hold. */
export class Slice {
  /** True for exactly one slice of a partition of all keys: it tells of what belongs to no key. */
  readonly isFirst: boolean;
  private readonly modulus: number;
  private readonly residue: number;
  private readonly keysMax: number;
  private keys = 0;

  constructor(keysMax: number, modulus = 1, residue = 0) {
    this.keysMax = keysMax;
    this.modulus = modulus;
    this.residue = residue;
    this.isFirst = residue === 0;
  }

  /** @param key whole number below 2^53, spread evenly. */
  has(key: number): boolean {
    return this.modulus === 1 || Math.floor(key / SHARD_KEYS) % this.modulus === this.residue;
  }

  /** @throws SliceFull when the pass would hold more keys than it may. */
  count(keys = 1): void {
    this.keys += keys;
    if (this.keys > this.keysMax) throw new SliceFull();
  }

  halves(): Slice[] {
    const modulus = this.modulus * 2;
    if (modulus > MODULUS_MAX) {
      throw new SpanloomError(
        'AUDIT_TOO_LARGE',
        `The audit may hold ${this.keysMax} keys at once, which is too few for what is retained; raise --keys-max or audit less with --from and --to`,
      );
    }
    return [
      new Slice(this.keysMax, modulus, this.residue),
      new Slice(this.keysMax, modulus, this.residue + this.modulus),
    ];
  }
}

class SliceFull extends Error {}

/**
 * Runs `pass` over all keys, a slice at a time: a pass that meets more keys than it may hold is dropped and done again in
 * two halves. So memory has a bound, and what is retained has none; the price is that logs are read more than once.
 */
export async function inSlices(
  keysMax: number,
  pass: (slice: Slice) => Promise<StageFindings>,
): Promise<StageFindings> {
  const pending = [new Slice(keysMax)];
  let total: StageFindings | undefined;
  for (let slice = pending.pop(); slice !== undefined; slice = pending.pop()) {
    try {
      const findings = await pass(slice);
      total = total === undefined ? findings : addFindings(total, findings);
    } catch (error) {
      if (!(error instanceof SliceFull)) throw error;
      pending.push(...slice.halves());
    }
  }
  return total as StageFindings;
}

/** Bags spread keys over their shards by the lowest bits, so slices go by the ones above. */
const SHARD_KEYS = 64;
const MODULUS_MAX = 4_096;
