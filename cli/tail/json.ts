import type { Incident } from '../../lib/codec/incident-records.ts';
import { otlpToJson } from '../../lib/codec/otlp-json.ts';
import type { AssembledTrace, DeadLetter, ServiceEdgeDelta } from '../../lib/codec/records.ts';

/**
 * A trace with its spans as OTLP/JSON in `resourceSpans`: each line is itself an OTLP request, so what `tail` prints
 * can be given to `produce` and to any OTLP tool.
 */
export function traceJson(trace: AssembledTrace): string {
  const { otlp, ...fields } = trace;
  return stringify({ ...fields, ...otlpToJson(otlp) });
}

export function edgeJson(delta: ServiceEdgeDelta): string {
  return stringify(delta);
}

export function incidentJson(incident: Incident): string {
  return stringify(incident);
}

/** The refused bytes, where they were kept, in base64. */
export function deadLetterJson(letter: DeadLetter): string {
  return stringify({ ...letter, payload: letter.payload === null ? null : letter.payload.toString('base64') });
}

/** 64-bit numbers as decimal strings, as in OTLP/JSON. */
function stringify(value: object): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
}
