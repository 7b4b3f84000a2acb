import type { ZipkinLiteral } from '../zipkin-literal.ts';

/** What a case gives in both modes. Where the accurate graph says something else, `why` tells what the truth is. */
interface Differing<T> {
  readonly zipkin: T;
  /** Default: the same. */
  readonly accurate?: T;
  /** There when `accurate` is. */
  readonly why?: string;
}

export interface TreeCase extends Differing<string> {
  readonly name: string;
  readonly trace: readonly ZipkinLiteral[];
}

export interface LinkCase extends Differing<readonly string[]> {
  readonly name: string;
  readonly traces: readonly (readonly ZipkinLiteral[])[];
}

export const ANOTHER_ROOT = 'a span without a parent is a root of its own';
export const NAMELESS = 'a service without a name is unknown_service, as in OpenTelemetry, and its calls are calls';
