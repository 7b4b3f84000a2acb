import type { Incident } from '../../../lib/codec/incident-records.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { ErrorSpanRanking, StaticRule } from './baselines.ts';
import { CorePipeline } from './core-pipeline.ts';
import { Delivery } from './delivery.ts';
import { type FaultOutcome, judge } from './judge.ts';
import { type RequestOutcome, simulateRequest } from './request.ts';
import { drawScenario, type FaultClass } from './scenario.ts';

/** What the production code and the baselines made of one scenario. */
export interface ScenarioOutcome {
  readonly faultClass: FaultClass;
  readonly services: number;
  readonly spans: number;
  readonly incidents: number;
  readonly falseIncidents: number;
  readonly faults: readonly (FaultOutcome & BaselineRanks)[];
  /** Alerts of the static rule. */
  readonly staticAlerts: number;
}

/** Place of the fault's service with the baselines, from 1. */
export interface BaselineRanks {
  readonly mostErrorSpans: number;
  readonly staticRule: number;
}

/** Lets a scenario run from its first request to some time after its last fault. The same for the same seed. */
export async function runScenario(faultClass: FaultClass, nth: number, seed: number): Promise<ScenarioOutcome> {
  const scenario = drawScenario(faultClass, nth, seed);
  const { system, faults } = scenario;
  const random = new SeededRandom(seed * 999_983 + nth);
  const delivery = new Delivery(new SeededRandom(seed + nth), START_MS, scenario.defects);
  const pipeline = await CorePipeline.start();
  const ranking = new ErrorSpanRanking(faults);
  const staticRule = new StaticRule(faults, START_MS);
  const requests: RequestOutcome[] = [];
  const announced: Incident[] = [];
  let spans = 0;
  for (let second = 0; second * 1000 < scenario.untilMs; second++) {
    for (const [i, entry] of system.entries.entries()) {
      let atMs = second * 1000;
      const gapMs = 1000 / (scenario.rates[i] as number);
      for (atMs += random.exponential(gapMs); atMs < (second + 1) * 1000; atMs += random.exponential(gapMs)) {
        const isUsers = random.chance(scenario.cancelledShare);
        const afterMs = isUsers ? random.between(1, 20) : scenario.deadlineMs;
        const made = simulateRequest(entry, {
          ...{ random, faults, version: OLD_VERSION, startMs: atMs },
          ...(afterMs === undefined ? {} : { cancelled: { afterMs, isUsers } }),
        });
        requests.push(made.outcome);
        delivery.add(made.spans);
      }
    }
    const arrived = delivery.take(second + 1);
    spans += arrived.spans.length;
    ranking.add(arrived.spans);
    const { incidents, deltas } = await pipeline.step(arrived.otlp, START_MS + (second + 1) * 1000);
    announced.push(...incidents);
    staticRule.add(deltas);
  }
  const judged = judge(scenario, requests, announced, START_MS);
  return {
    ...{ faultClass, services: system.services.length, spans, staticAlerts: staticRule.alerts },
    ...judged,
    faults: judged.faults.map((outcome, i) => ({
      ...outcome,
      mostErrorSpans: ranking.rankOf(i),
      staticRule: staticRule.rankOf(i),
    })),
  };
}

/** Some minute in the past, a multiple of 10 s; epoch milliseconds of virtual time 0. */
const START_MS = 1_750_000_000_000;
const OLD_VERSION = '1.0.0';
