import type { Registry } from 'prom-client';

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * What a registry holds as OpenMetrics 1.0 text: the form that can carry exemplars. prom-client's own way to it renames
 * its counters for good, so that one registry could not serve both forms.
 */
export async function openMetricsText(registry: Registry): Promise<string> {
  const lines: string[] = [];
  for (const { name, help, type, values } of await registry.getMetricsAsJSON()) {
    const isCounter = String(type) === 'counter';
    const family = isCounter ? name.replace(/_total$/, '') : name;
    lines.push(`# HELP ${family} ${escaped(help)}`, `# TYPE ${family} ${type}`);
    for (const value of values as readonly MetricValue[]) {
      const sample = value.metricName ?? (isCounter ? `${family}_total` : name);
      lines.push(`${sample}${labelText(value.labels)} ${numberText(value.value)}${exemplarText(value.exemplar)}`);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

/** Whether a scraper that sends this Accept header would rather have OpenMetrics than Prometheus' text. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  const open = qualityOf(accept, /^application\/openmetrics-text$/);
  return open > 0 && open >= qualityOf(accept, /^text\/plain$/);
}

/** A measured example of a series: its labels, `trace_id` above all, and its value. */
export interface MetricExemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
}

interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: MetricExemplar | null;
}

function qualityOf(accept: string | undefined, type: RegExp): number {
  let best = 0;
  for (const part of (accept ?? '').split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (!type.test(name)) continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    best = Math.max(best, quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  return best;
}

function labelText(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Without a time: the scraper's is as good, and one of the past may be refused as out of order. */
function exemplarText(exemplar: MetricExemplar | null | undefined): string {
  return exemplar == null ? '' : ` # ${labelText(exemplar.labelSet)} ${numberText(exemplar.value)}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
