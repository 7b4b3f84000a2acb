import { otlp, type ResourceLiteral, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';

/** Bundles as routers write them: a few live traces mixed, roots at any time, now and then a copy of an earlier span. */
export class SpanProducer {
  /** (trace, offset) pairs produced. */
  units = 0;
  private readonly random: SeededRandom;
  private readonly live: { trace: number; sent: { service: string; span: SpanLiteral }[] }[] = [];
  private nextTrace: number;
  private nextSpan = 1;

  /** @param firstTrace traces are numbered from it, so that several producers never share one. */
  constructor(random: SeededRandom, firstTrace = 1) {
    this.random = random;
    this.nextTrace = firstTrace;
  }

  /** Nothing more comes for the traces so far. */
  forget(): void {
    this.live.length = 0;
  }

  /** One bundle; `offset` goes into the spans' names, so that a span tells where it came from. */
  bundle(offset: number): Buffer {
    const { random } = this;
    if (this.live.length < 3 || random.float() < 0.3) this.live.push({ trace: this.nextTrace++, sent: [] });
    // A trace that left the live set may come back: its spans are late then.
    if (this.live.length > 8) this.live.shift();
    const byService = new Map<string, SpanLiteral[]>();
    const traces = new Set<number>();
    for (let spans = 1 + random.below(5); spans > 0; spans--) {
      const trace = this.live[random.below(this.live.length)] as (typeof this.live)[number];
      traces.add(trace.trace);
      const copied = random.float() < 0.15 ? trace.sent[random.below(trace.sent.length || 1)] : undefined;
      const made = copied ?? this.span(trace.trace, trace.sent.length, offset);
      if (copied === undefined) trace.sent.push(made);
      const ofService = byService.get(made.service);
      if (ofService === undefined) byService.set(made.service, [made.span]);
      else ofService.push(made.span);
    }
    this.units += traces.size;
    const resources: ResourceLiteral[] = [...byService].map(([service, spans]) => ({ service, spans }));
    return otlp(resources);
  }

  private span(trace: number, index: number, offset: number): { service: string; span: SpanLiteral } {
    const { random } = this;
    const isRoot = index > 0 ? random.float() < 0.1 : random.float() < 0.3;
    const id = this.nextSpan++;
    return {
      service: `service-${random.below(20)}`,
      span: {
        id,
        trace,
        name: `span ${id} of record ${offset}`,
        ...(isRoot ? {} : { parent: Math.max(1, id - 1) }),
        kind: 'server',
        start: id,
        duration: 5,
      },
    };
  }
}
