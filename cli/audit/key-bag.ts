import type { Slice } from './slices.ts';

/**
 * A multiset of 53-bit keys, each with a whole number that says where it was seen first, counted against a slice. About
 * 90 bytes a key; spread over several maps, because one Map holds at most 2^24.
 */
export class KeyBag {
  private readonly shards: Map<number, Held>[] = Array.from({ length: SHARDS }, () => new Map());
  private readonly slice: Slice;

  constructor(slice: Slice) {
    this.slice = slice;
  }

  add(key: number, place: number): void {
    const shard = this.shardOf(key);
    const held = shard.get(key);
    if (held !== undefined) {
      held.left++;
      return;
    }
    this.slice.count();
    shard.set(key, { left: 1, taken: 0, place });
  }

  /** Takes one out; answers its place, or undefined when none is left. */
  take(key: number): number | undefined {
    const held = this.shardOf(key).get(key);
    if (held === undefined || held.left === 0) return undefined;
    held.left--;
    held.taken++;
    return held.place;
  }

  /** Whether it was ever added. */
  has(key: number): boolean {
    return this.shardOf(key).has(key);
  }

  /** What nobody took: `wasTaken` tells one too many from one that nobody asked for. */
  *rest(): Generator<{ place: number; left: number; wasTaken: boolean }> {
    for (const shard of this.shards) {
      for (const { left, taken, place } of shard.values()) if (left > 0) yield { place, left, wasTaken: taken > 0 };
    }
  }

  private shardOf(key: number): Map<number, Held> {
    return this.shards[key % SHARDS] as Map<number, Held>;
  }
}

interface Held {
  left: number;
  taken: number;
  readonly place: number;
}

const SHARDS = 64;
