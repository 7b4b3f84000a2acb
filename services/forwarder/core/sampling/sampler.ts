import type { AssembledTrace } from '../../../../lib/codec/records.ts';
import { AdaptiveShare } from './adaptive-share.ts';
import { OperationDurations } from './operation-durations.ts';
import type { Condition, Sampling, SamplingRule } from './rules.ts';
import { type OtState, randomnessOf, THRESHOLD_NONE, thresholdOf } from './threshold.ts';
import { TraceFacts } from './trace-facts.ts';

export interface Decision {
  readonly kept: boolean;
  readonly rule: string;
  /** Of the whole trace; what was sampled before it came here may have a higher one. */
  readonly threshold: bigint;
}

/** What is known of open incidents. */
export interface OpenIncidents {
  /** Whether an open incident names one of the trace's services as its cause, or the trace as an example. */
  concerns(trace: Pick<AssembledTrace, 'traceId' | 'services'>): boolean;
}

/**
 * Decides for one destination and partition which traces are kept, by the whole trace. What comes late of a trace that was
 * decided on follows that decision, whatever it holds. Everything depends on the log alone (its records and their times)
 * and on which incidents are open.
 */
export class Sampler {
  private readonly rules: readonly RuleState[];
  private readonly incidents: OpenIncidents;
  private readonly facts: TraceFacts;
  private readonly tracesRememberedMax: number;
  /** By quantile. */
  private readonly durations = new Map<number, OperationDurations>();
  private decided = new Map<string, Decision>();
  private decidedBefore = new Map<string, Decision>();

  /** @param options.partitions share a rule's limit. */
  constructor(
    sampling: Sampling,
    options: { partitions: number; tracesRememberedMax: number; incidents: OpenIncidents },
  ) {
    this.incidents = options.incidents;
    this.tracesRememberedMax = options.tracesRememberedMax;
    this.rules = sampling.rules.map((rule) => ruleState(rule, options.partitions));
    const conditions = sampling.rules.flatMap((rule) => rule.conditions);
    for (const each of conditions) if (each.kind === 'slow') this.durationsOf(each.quantile);
    this.facts = new TraceFacts(conditions.flatMap((each) => (each.kind === 'span' ? [each.span] : [])));
  }

  /**
   * @param streamMs when the trace's record was written.
   * @param otState of the trace's tracestate.
   */
  decide(trace: AssembledTrace, streamMs: number, otState: OtState): Decision {
    const earlier = this.decided.get(trace.traceId) ?? this.decidedBefore.get(trace.traceId);
    if (earlier !== undefined) return earlier;
    const decision = this.decideAnew(trace, streamMs, otState);
    this.remember(trace.traceId, decision);
    return decision;
  }

  private decideAnew(trace: AssembledTrace, streamMs: number, otState: OtState): Decision {
    this.facts.of(trace);
    const state = this.rules.find(({ rule }) => rule.conditions.every((condition) => this.holds(condition, trace)));
    this.learn(trace, streamMs);
    if (state === undefined) return { kept: false, rule: 'none', threshold: THRESHOLD_NONE };
    const { rule, share, fixed } = state;
    const threshold = share === undefined ? fixed : thresholdOf(share.limit(rule.ratio, streamMs));
    return { kept: randomnessOf(trace.traceId, otState) >= threshold, rule: rule.name, threshold };
  }

  private holds(condition: Condition, trace: AssembledTrace): boolean {
    switch (condition.kind) {
      case 'error':
        return trace.errorCount > 0;
      case 'slow':
        return this.durationsOf(condition.quantile).isSlow(operationOf(trace), microsOf(trace));
      case 'longer':
        return trace.durationNano > condition.nanos;
      case 'incident':
        return this.incidents.concerns(trace);
      case 'span':
        return this.facts.hasSpan(condition.span);
    }
  }

  private durationsOf(quantile: number): OperationDurations {
    let durations = this.durations.get(quantile);
    if (durations === undefined) {
      durations = new OperationDurations({ quantile, periodMs: PERIOD_MS, operationsMax: OPERATIONS_MAX });
      this.durations.set(quantile, durations);
    }
    return durations;
  }

  private learn(trace: AssembledTrace, streamMs: number): void {
    for (const durations of this.durations.values()) durations.record(operationOf(trace), microsOf(trace), streamMs);
  }

  private remember(traceId: string, decision: Decision): void {
    this.decided.set(traceId, decision);
    if (this.decided.size < this.tracesRememberedMax / 2) return;
    this.decidedBefore = this.decided;
    this.decided = new Map();
  }
}

interface RuleState {
  readonly rule: SamplingRule;
  readonly share: AdaptiveShare | undefined;
  readonly fixed: bigint;
}

function ruleState(rule: SamplingRule, partitions: number): RuleState {
  const { tracesPerSecondMax, ratio } = rule;
  const share = tracesPerSecondMax === undefined ? undefined : new AdaptiveShare(tracesPerSecondMax / partitions);
  return { rule, share, fixed: thresholdOf(ratio) };
}

function operationOf({ rootService, rootOperation }: AssembledTrace): string {
  return `${rootService ?? ''}\n${rootOperation ?? ''}`;
}

function microsOf({ durationNano }: AssembledTrace): number {
  return Number(durationNano / 1000n);
}

const PERIOD_MS = 300_000;
const OPERATIONS_MAX = 2_000;
