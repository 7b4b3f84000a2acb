/** A transaction that ended with an abort marker, as a fetch response lists it. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** What the filter has to know of a record batch. */
export interface BatchOrigin {
  readonly producerId: number;
  readonly lastOffset: number;
  readonly transactional: boolean;
  /** Set for control batches only, which hold no data: the marker that ends a transaction, or another kind. */
  readonly control?: 'abort' | 'commit' | 'other';
}

/**
 * Decides, batch by batch in offset order, which batches of one fetch response a read-committed reader sees.
 *
 * The broker lists every aborted transaction that reaches into the fetched range, also those begun before it. A producer is
 * aborting from the first offset of such a transaction to its abort marker. Several may have begun before one batch, and
 * several producers may interleave; only the batch's control flag makes a marker, never a record's key.
 */
export class ReadCommittedFilter {
  readonly #upcoming: AbortedTransaction[];
  readonly #aborting = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // Descending, so that the next one is cheap to take from the end.
    this.#upcoming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** True when the batch's records are data of no aborted transaction. Call once per batch, in offset order. */
  passes(batch: BatchOrigin): boolean {
    for (
      let next = this.#upcoming.at(-1);
      next !== undefined && next.firstOffset <= batch.lastOffset;
      next = this.#upcoming.at(-1)
    ) {
      this.#aborting.add(next.producerId);
      this.#upcoming.pop();
    }
    if (batch.control !== undefined) {
      if (batch.control === 'abort') this.#aborting.delete(batch.producerId);
      return false;
    }
    return !(batch.transactional && this.#aborting.has(batch.producerId));
  }
}
