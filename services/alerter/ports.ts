import type { Incident } from '../../lib/codec/incident-records.ts';
import type { FencedWriter, PartitionLog } from '../../lib/kafka/types.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { AlerterCore, DeltaOutcome } from './core/alerter-core.ts';

/** What the active alerter touches of the outside. */
export interface AlerterPorts {
  /** Every partition of the service-edges topic, by number. */
  readonly edges: readonly PartitionLog[];
  readonly state: PartitionLog;
  /** A new writer each time; opening it fences the one before. */
  openWriter(): Promise<FencedWriter>;
  readonly clock: Clock;
  randomHex(bytes: number): string;
  sha256(bytes: Uint8Array): string;
  crashPoint(name: string): void;
  readonly events: AlerterEvents;
}

export interface AlerterEvents {
  started(restored: number, nextOffsets: readonly number[]): void;
  applied(outcome: DeltaOutcome): void;
  refused(partition: number, offset: number, why: string): void;
  /** Offsets [from, to) were gone before they were read. */
  gap(partition: number, from: number, to: number): void;
  committed(announced: readonly Incident[], records: number, figures: AlerterCore['figures']): void;
  lag(partition: number, records: number, seconds: number): void;
  failed(error: unknown, retryInMs: number): void;
  stopped(): void;
}
