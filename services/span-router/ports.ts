import type { Decoder, ForeignEncoding } from '../../lib/codec/ingest/decoders.ts';
import type { DeadLetter } from '../../lib/codec/records.ts';

/** What the router's core needs of the outside; main.ts supplies it, tests may supply less. */
export interface RouterPorts {
  /** Each other encoding as an OTLP request in protobuf, or why it is none. */
  readonly decoders: Decoders;
  /** The partition of spanloom.spans for the trace whose 16-byte id starts at `offset`. */
  readonly partitionOfTrace: (bytes: Uint8Array, offset: number) => number;
  /** Stands in for a value whose attribute is configured to be hashed. */
  readonly hashValue: (value: Uint8Array) => string;
  /** 64 hex characters. */
  readonly sha256: (bytes: Uint8Array) => string;
  readonly encodeDeadLetter: (letter: DeadLetter) => Buffer;
  /** First retained offset of the ingest partition: where a partition without a ledger entry begins. */
  readonly earliestOffset: () => Promise<number>;
  /** Told once a transaction is committed, so that a retry counts nothing twice. */
  readonly routed: (report: RoutedReport) => void;
}

export type Decoders = Readonly<Record<ForeignEncoding, Decoder>>;

/** What one commit took in and gave out. */
export interface RoutedReport {
  readonly records: number;
  readonly bytes: number;
  readonly spans: number;
  readonly bundles: number;
  readonly bundleBytes: number;
  readonly deadLetters: number;
  /** Spans (or whole records, or lost offsets) that went to dead letters, by reason. */
  readonly rejected: ReadonlyMap<string, number>;
  /** Values taken out, hashed, masked or cut, by kind. */
  readonly redacted: ReadonlyMap<string, number>;
  readonly truncated: number;
}
