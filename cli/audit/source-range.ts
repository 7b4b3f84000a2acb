import type { LogRecord } from '../../lib/kafka/types.ts';

/** Input offsets that a bundle or a delta says it was made of. */
export interface SourceRange {
  /** `topic/partition`. */
  readonly place: string;
  readonly first: number;
  readonly last: number;
}

/** Undefined for a record that no service of ours wrote. */
export function sourceRangeOf({ headers }: Pick<LogRecord, 'headers'>): SourceRange | undefined {
  const match = /^(.+)\/(\d+)-(\d+)$/.exec(headers.get('spanloom-source')?.toString() ?? '');
  return match === null ? undefined : { place: match[1] as string, first: Number(match[2]), last: Number(match[3]) };
}
