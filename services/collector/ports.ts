import type { Protocol } from './core/doors.ts';

/** What the doors need of the rest of the service. */
export interface Intake {
  /** Largest record that `give` takes. */
  readonly recordBytesMax: number;
  /**
   * Hands spans to Kafka.
   * @returns true when Kafka has acknowledged them, false when it has not within the time allowed; why is logged.
   */
  give(records: readonly Buffer[]): Promise<boolean>;
  /** False when the process holds as many bytes as it may. */
  tryHold(bytes: number): boolean;
  release(bytes: number): void;
  report(request: RequestReport): void;
}

export interface RequestReport {
  /** Undefined when the path is nobody's. */
  readonly protocol: Protocol | undefined;
  readonly door: 'http' | 'grpc';
  /** HTTP status, or gRPC's code. */
  readonly code: number;
  /** Spans that Kafka has. */
  readonly spans: number;
  /** Spans that the pipeline will not have. */
  readonly rejected: number;
  readonly seconds: number;
}
