import { BatchExporter, type ExportRecord } from './batch-exporter.ts';
import type { OutageSchedule } from './outage.ts';
import { SeededRandom } from './random.ts';
import { type RequestContext, simulateRequest } from './request.ts';
import { backendInstances, gatewayInstances, type Instance } from './system.ts';
import { TrafficTruth } from './truth.ts';

export interface TrafficOptions {
  readonly seed: number;
  /** Epoch milliseconds of virtual time 0. */
  readonly startUnixMs: number;
  /** Requests arrive until then; Infinity is allowed. Spans of the last ones are exported up to 35 s later. */
  readonly durationMs: number;
  /** Requests arrive at random, from `first` per second to `peak` within `rampMs`, then in slow waves below the peak. */
  readonly requestsPerSecond: { readonly first: number; readonly peak: number; readonly rampMs: number };
  readonly outages?: OutageSchedule;
}

export interface Traffic {
  /** In order of `atMs`. Can be iterated once; the truth counts along. */
  readonly records: IterableIterator<ExportRecord>;
  readonly truth: TrafficTruth;
}

/**
 * What the four-node system (see system.ts) sends: OTLP requests in virtual time. Pure: whoever iterates decides how
 * fast time passes. Same options, same bytes.
 */
export function fourNodeTraffic(options: TrafficOptions): Traffic {
  const truth = new TrafficTruth();
  return { records: exportRecords(options, truth), truth };
}

function* exportRecords(options: TrafficOptions, truth: TrafficTruth): IterableIterator<ExportRecord> {
  const random = new SeededRandom(options.seed);
  const gateways = gatewayInstances(random);
  const backends = backendInstances(random);
  const context: RequestContext = { random, gateways, backends, outages: options.outages, truth };
  const exporters = new Map<Instance, BatchExporter>();
  for (const instance of [...gateways, ...backends]) exporters.set(instance, exporterOf(instance, random, options));

  let arrivalMs = nextArrivalMs(random, 0, options);
  for (;;) {
    const exporter = nextToTick(exporters.values(), arrivalMs === Infinity);
    if (exporter === undefined) return;
    if (arrivalMs <= exporter.nextTickMs) {
      for (const span of simulateRequest(context, arrivalMs)) exporters.get(span.instance)?.add(span);
      arrivalMs = nextArrivalMs(random, arrivalMs, options);
      continue;
    }
    for (const record of exporter.tick()) {
      truth.spanCount += record.spans.length;
      yield record;
    }
  }
}

/**
 * The gateway exports less often than the backend, so the root of a request that hung arrives after everything else of
 * it in most cases, but not in all.
 */
function exporterOf(instance: Instance, random: SeededRandom, options: TrafficOptions): BatchExporter {
  const intervalMs = instance.service === 'api-gateway' ? 2_500 : 1_000;
  const firstTickMs = random.between(0, intervalMs);
  return new BatchExporter(instance, options.startUnixMs, { firstTickMs, intervalMs, batchSpansMax: 128 });
}

/** The exporter whose timer fires next; once nothing arrives any more, only those that still hold spans count. */
function nextToTick(exporters: Iterable<BatchExporter>, draining: boolean): BatchExporter | undefined {
  let next: BatchExporter | undefined;
  for (const exporter of exporters) {
    if (draining && exporter.empty) continue;
    if (next === undefined || exporter.nextTickMs < next.nextTickMs) next = exporter;
  }
  return next;
}

/** A Poisson process whose rate changes, by thinning one that runs at the peak. Infinity once the time is over. */
function nextArrivalMs(random: SeededRandom, afterMs: number, options: TrafficOptions): number {
  const peak = options.requestsPerSecond.peak;
  let atMs = afterMs;
  do atMs += random.exponential(1000 / peak);
  while (atMs < options.durationMs && !random.chance(rateAt(options, atMs) / peak));
  return atMs < options.durationMs ? atMs : Infinity;
}

function rateAt(options: TrafficOptions, atMs: number): number {
  const { first, peak, rampMs } = options.requestsPerSecond;
  if (atMs < rampMs) return first + ((peak - first) * atMs) / rampMs;
  const wave = Math.cos(((atMs - rampMs) / WAVE_MS) * 2 * Math.PI);
  return peak * (WAVE_LOW + (1 - WAVE_LOW) * (0.5 + 0.5 * wave));
}

const WAVE_MS = 45_000;
/** Lowest rate of a wave as a share of the peak. */
const WAVE_LOW = 0.7;
