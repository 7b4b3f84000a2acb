import { pooledSlope, type Sample } from '../../../lib/stats/pooled-slope.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';

export interface MemoryOfService {
  readonly service: string;
  /** Resident bytes at most. */
  readonly highest: number;
  /** Bytes per hour within lives, their first minute left out: a process that has just started still grows. */
  readonly slopePerHour: number;
  readonly samples: number;
}

/** Resident memory of each process over time, apart for each of its lives. */
export class MemoryLog {
  private readonly pipeline: FaultPipeline;
  private readonly lives = new Map<string, { service: string; bornMs: number; samples: Sample[] }>();
  private readonly timer: NodeJS.Timeout;
  private readonly startedMs = performance.now();

  constructor(pipeline: FaultPipeline) {
    this.pipeline = pipeline;
    this.timer = setInterval(() => void this.sample(), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** @param fromMs leaves out what was before, in milliseconds since this log began. */
  summary(fromMs = 0): MemoryOfService[] {
    const services = new Set([...this.lives.values()].map(({ service }) => service));
    return [...services].map((service) => {
      const lives = [...this.lives.values()].filter((life) => life.service === service);
      const late = lives.map(({ bornMs, samples }) =>
        samples.filter(({ x }) => x - bornMs >= WARM_UP_MS && x >= fromMs),
      );
      const all = lives.flatMap(({ samples }) => samples.map(({ y }) => y));
      return {
        service,
        highest: all.reduce((most, bytes) => Math.max(most, bytes), 0),
        slopePerHour: pooledSlope(late.filter(({ length }) => length > 1)) * 3_600_000,
        samples: late.flat().length,
      };
    });
  }

  private async sample(): Promise<void> {
    for (const process of this.pipeline.processes) {
      const life = `${process.name} ${process.deaths.length}`;
      const bytes = await process.metric('process_resident_memory_bytes');
      if (bytes === 0 || life !== `${process.name} ${process.deaths.length}`) continue;
      const x = performance.now() - this.startedMs;
      if (!this.lives.has(life)) this.lives.set(life, { service: process.service, bornMs: x, samples: [] });
      this.lives.get(life)?.samples.push({ x, y: bytes });
    }
  }
}

const SAMPLE_MS = 3_000;
const WARM_UP_MS = 60_000;
