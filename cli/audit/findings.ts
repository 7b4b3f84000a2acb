/** Whether what a stage took in and what it put out tile: every part of the input in the output exactly once. */
export interface StageFindings {
  readonly stage: 'bundles' | 'traces' | 'archive' | 'edges';
  /** What is counted: spans, (trace, offset) pairs, trace records, or counters of edge deltas. */
  readonly unit: string;
  /** In the output exactly once. */
  matched: number;
  /** Committed by the stage's ledger, yet in no output. */
  missing: number;
  /** More often in the output than in the input. */
  double: number;
  /** In the output without any input. */
  foreign: number;
  /** In the output with other content. */
  altered: number;
  /** Not yet due: behind the committed position, or in an open window. */
  open: number;
  /** Deleted by retention on one side, so that nothing can be said. */
  gap: number;
  /** Why the stage was left out; null when it was audited. */
  skipped: string | null;
  /** The first of each kind of trouble, for a person to look up. */
  readonly examples: Example[];
}

export type Trouble = 'missing' | 'double' | 'foreign' | 'altered';

export interface Example {
  readonly kind: Trouble;
  /** `topic/partition@offset`, or an object's key. */
  readonly at: string;
  readonly detail: string;
}

export const TROUBLES: readonly Trouble[] = ['missing', 'double', 'foreign', 'altered'];

export function newFindings(stage: StageFindings['stage'], unit: string): StageFindings {
  return {
    stage,
    unit,
    matched: 0,
    missing: 0,
    double: 0,
    foreign: 0,
    altered: 0,
    open: 0,
    gap: 0,
    skipped: null,
    examples: [],
  };
}

/** Counts a trouble and keeps it as an example while there are few of its kind. */
export function report(findings: StageFindings, kind: Trouble, at: string, detail: string, count = 1): void {
  findings[kind] += count;
  if (findings.examples.filter((example) => example.kind === kind).length < EXAMPLES_MAX) {
    findings.examples.push({ kind, at, detail });
  }
}

/** Adds what another pass over the same stage found. */
export function addFindings(total: StageFindings, more: StageFindings): StageFindings {
  for (const name of [...TROUBLES, 'matched', 'open', 'gap'] as const) total[name] += more[name];
  for (const { kind, at, detail } of more.examples) report(total, kind, at, detail, 0);
  total.skipped ??= more.skipped;
  return total;
}

/** A stage that was left out is not clean: nothing is known of it. */
export function isClean(stages: readonly StageFindings[]): boolean {
  return stages.every((stage) => stage.skipped === null && TROUBLES.every((kind) => stage[kind] === 0));
}

const EXAMPLES_MAX = 10;
