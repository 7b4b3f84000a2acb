/** What somebody did to an incident; never changed, only added to. */
export interface Act {
  readonly kind: 'acknowledged' | 'unacknowledged' | 'note';
  readonly by: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Of a note, else empty. */
  readonly text: string;
}

/** Who is on it, going by the last word. */
export function acknowledgementOf(acts: readonly Act[]): { by: string; atMs: number } | null {
  const last = acts.findLast(({ kind }) => kind !== 'note');
  return last?.kind === 'acknowledged' ? { by: last.by, atMs: last.atMs } : null;
}

export function notesOf(acts: readonly Act[]): { by: string; atMs: number; text: string }[] {
  return acts.filter(({ kind }) => kind === 'note').map(({ by, atMs, text }) => ({ by, atMs, text }));
}
