import { encodeTraceRequest, type GeneratedSpan } from '../../../lib/testkit/traffic/otlp-encode.ts';
import type { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { type MadeSpan, otlpSpan } from './made-span.ts';

/** What goes wrong between a service and the pipeline; shares of all spans. */
export interface Defects {
  readonly lost: number;
  /** Come 5 to 60 s after their time: often after their trace was closed. */
  readonly late: number;
  readonly double: number;
}

export const NO_DEFECTS: Defects = { lost: 0, late: 0, double: 0 };

/** Spans on their way: each service sends what has ended once a second, as an SDK's batches do. */
export class Delivery {
  private readonly random: SeededRandom;
  private readonly startUnixMs: number;
  private readonly defects: Defects;
  private readonly due = new Map<number, MadeSpan[]>();

  constructor(random: SeededRandom, startUnixMs: number, defects: Defects) {
    this.random = random;
    this.startUnixMs = startUnixMs;
    this.defects = defects;
  }

  add(spans: readonly MadeSpan[]): void {
    const { random, defects } = this;
    for (const span of spans) {
      if (random.chance(defects.lost)) continue;
      const lateMs = random.chance(defects.late) ? random.between(5_000, 60_000) : 0;
      this.put(span, span.endMs + lateMs);
      if (random.chance(defects.double)) this.put(span, span.endMs + random.between(0, 20_000));
    }
  }

  /** What arrives in a second of virtual time: one OTLP request per service and version, one after another. */
  take(second: number): { readonly spans: readonly MadeSpan[]; readonly otlp: Buffer } {
    const spans = this.due.get(second) ?? [];
    this.due.delete(second);
    const bySender = new Map<string, MadeSpan[]>();
    for (const span of spans) {
      const sender = `${span.service} ${span.version}`;
      const own = bySender.get(sender);
      if (own === undefined) bySender.set(sender, [span]);
      else own.push(span);
    }
    const requests = [...bySender.values()].map((own) => {
      const { service, version } = own[0] as MadeSpan;
      const generated = own.map((span): GeneratedSpan => otlpSpan(span, this.startUnixMs));
      return encodeTraceRequest({ 'service.name': service, 'service.version': version }, [
        { scope: SCOPE, spans: generated },
      ]);
    });
    return { spans, otlp: Buffer.concat(requests) };
  }

  private put(span: MadeSpan, atMs: number): void {
    const second = Math.floor(atMs / 1000) + 1;
    const waiting = this.due.get(second);
    if (waiting === undefined) this.due.set(second, [span]);
    else waiting.push(span);
  }
}

const SCOPE = { name: 'evaluate', version: '1' };
