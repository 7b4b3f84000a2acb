/**
 * The scope of a span as the two tags that OpenTelemetry's exporters to Jaeger and Zipkin make of it.
 *
 * @param scope name and version with a space between, as a trace's view has it; names of scopes have no spaces.
 */
export function scopeTags(scope = ''): (readonly [key: string, value: string])[] {
  if (scope === '') return [];
  const at = scope.lastIndexOf(' ');
  if (at < 0) return [['otel.scope.name', scope]];
  return [
    ['otel.scope.name', scope.slice(0, at)],
    ['otel.scope.version', scope.slice(at + 1)],
  ];
}
