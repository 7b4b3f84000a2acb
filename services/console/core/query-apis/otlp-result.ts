import { type OtlpJson, otlpToJson } from '../../../../lib/codec/otlp-json.ts';
import type { TracePart } from '../../ports.ts';

/**
 * What the sources have of a trace as OTLP/JSON, for Jaeger's API v3. A span that several sources have is there once,
 * as the first one has it.
 */
export function otlpResourceSpans(parts: readonly TracePart[]): OtlpJson[] {
  const seen = new Set<string>();
  return parts.flatMap(({ otlp }) => {
    const resources = (otlpToJson(otlp)['resourceSpans'] ?? []) as OtlpJson[];
    return resources.flatMap((resource) => {
      const scopes = listOf(resource, 'scopeSpans').flatMap((scope) => {
        const spans = listOf(scope, 'spans').filter((span) => isFirst(seen, span));
        return spans.length === 0 ? [] : [{ ...scope, spans }];
      });
      return scopes.length === 0 ? [] : [{ ...resource, scopeSpans: scopes }];
    });
  });
}

function isFirst(seen: Set<string>, { spanId, kind, name, startTimeUnixNano }: OtlpJson): boolean {
  const key = JSON.stringify([spanId, kind, name, startTimeUnixNano]);
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function listOf(message: OtlpJson, field: string): OtlpJson[] {
  return (message[field] ?? []) as OtlpJson[];
}
