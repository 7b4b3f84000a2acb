import type { ProcessUsage } from './process-usage.ts';

export interface BenchResult {
  readonly spans: number;
  readonly services: Record<string, ServiceFigures>;
  readonly redis: ServiceFigures;
  /** Spans over the summed CPU of router, assembler, graph-builder, archiver and Redis. */
  readonly total: { readonly spansPerCpuSecond: number };
  /** From the broker taking the last span of a trace to the trace being readable, less the idle time-out. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly kafkaBytesPerSpan: Record<string, number>;
  readonly lost: number;
  readonly double: number;
}

export interface ServiceFigures {
  readonly spansPerCpuSecond: number;
  readonly cpuSeconds: number;
  readonly rssPeakMb: number;
}

export function figures(spans: number, usage: ProcessUsage): ServiceFigures {
  return {
    spansPerCpuSecond: Math.round(spans / Math.max(usage.cpuSeconds, 0.01)),
    cpuSeconds: Number(usage.cpuSeconds.toFixed(2)),
    rssPeakMb: Math.round(usage.rssPeakMb),
  };
}

export function table(result: BenchResult): string {
  const rows = [...Object.entries(result.services), ['redis', result.redis] as const];
  const lines = [
    `${'process'.padEnd(18)}${'spans/CPU-s'.padStart(14)}${'CPU-s'.padStart(9)}${'peak RSS MB'.padStart(14)}`,
    ...rows.map(
      ([name, figure]) =>
        `${name.padEnd(18)}${figure.spansPerCpuSecond.toLocaleString('en').padStart(14)}${figure.cpuSeconds.toFixed(2).padStart(9)}${String(figure.rssPeakMb).padStart(14)}`,
    ),
    `${'total'.padEnd(18)}${result.total.spansPerCpuSecond.toLocaleString('en').padStart(14)}`,
    '',
    `latency beyond the idle time-out: p50 ${result.latencyMs.p50} ms, p99 ${result.latencyMs.p99} ms`,
    `record bytes per span: ${Object.entries(result.kafkaBytesPerSpan)
      .map(([topic, bytes]) => `${topic} ${bytes}`)
      .join(', ')}`,
    `lost ${result.lost}, double ${result.double} of ${result.spans.toLocaleString('en')} spans`,
  ];
  return lines.join('\n');
}

/** @param values any order. @param quantile between 0 and 1. */
export function percentile(values: readonly number[], quantile: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] as number);
}
