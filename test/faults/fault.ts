import type { FaultPipeline, FaultPipelineOptions } from './rig/fault-pipeline.ts';

/** One row of the fault table. */
export interface Fault {
  /** What happens; also the row's name in docs/reliability.md. */
  readonly name: string;
  /** Part of `npm test`; the others run in `npm run test:faults` alone. */
  readonly fast?: true;
  /**
   * Does it, in the middle of a stream of spans, waits until it is over, and throws when it has not really happened. What
   * is sent until then, and what is sent after it, must be once in every output.
   */
  readonly inject: (pipeline: FaultPipeline) => Promise<void>;
  /**
   * What the audit of the bundles must have matched: all spans that were sent and are retained (default), those and what
   * came of records whose fate nobody can foresee, or `any`, when a part is gone and counts as gap.
   */
  readonly spans?: 'at least' | 'any';
}

/** Faults that one pipeline goes through one after another. */
export interface FaultGroup {
  readonly pipeline: FaultPipelineOptions;
  readonly faults: readonly Fault[];
}
