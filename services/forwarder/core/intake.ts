import { assembledTraceCodec } from '../../../lib/codec/records.ts';
import { describeError, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import { WireError } from '../../../lib/trace/wire-reader.ts';
import type { ForwardedTrace } from './batch.ts';
import { firstTracestate, markSpans } from './sampling/mark-spans.ts';
import type { Sampling } from './sampling/rules.ts';
import type { Sampler } from './sampling/sampler.ts';
import { readOtState } from './sampling/threshold.ts';

/** What becomes of a record of the traces topic for one destination. */
export type Taken =
  /** `rule`: what kept it, where there is sampling. */
  | { readonly kind: 'forward'; readonly trace: ForwardedTrace; readonly rule: string | undefined }
  | { readonly kind: 'sampled_out'; readonly rule: string }
  /** A revision that held only copies has nothing to tell. */
  | { readonly kind: 'empty' }
  /** No assembler wrote it. */
  | { readonly kind: 'foreign'; readonly why: string };

/** Decodes the records of one partition and, where the destination samples, decides which are for it. */
export class Intake {
  private readonly sampler: Sampler | undefined;
  private readonly weightAttribute: string;

  constructor(sampling: Sampling | undefined, sampler: Sampler | undefined) {
    this.sampler = sampler;
    this.weightAttribute = sampling?.weightAttribute ?? '';
  }

  /** Whether what came before a position helps to decide on what comes after it. */
  get learns(): boolean {
    return this.sampler !== undefined;
  }

  take({ value, offset, timestampMs }: LogRecord): Taken {
    if (value === null) return { kind: 'foreign', why: 'it has no value' };
    try {
      const trace = assembledTraceCodec.decode(value);
      if (trace.spanCount === 0) return { kind: 'empty' };
      const forwarded = { trace, offset, appendMs: timestampMs };
      if (this.sampler === undefined) return { kind: 'forward', trace: forwarded, rule: undefined };
      const decision = this.sampler.decide(trace, timestampMs, readOtState(firstTracestate(trace.otlp)));
      if (!decision.kept) return { kind: 'sampled_out', rule: decision.rule };
      const otlp = markSpans(trace.otlp, decision.threshold, this.weightAttribute);
      return { kind: 'forward', trace: { ...forwarded, trace: { ...trace, otlp } }, rule: decision.rule };
    } catch (error) {
      if (!(error instanceof SpanloomError || error instanceof WireError)) throw error;
      return { kind: 'foreign', why: describeError(error) };
    }
  }
}
