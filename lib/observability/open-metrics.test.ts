import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Registry } from 'prom-client';
import { openMetricsText, wantsOpenMetrics } from './open-metrics.ts';

describe('openMetricsText', () => {
  it('names families and samples, escapes, and ends with EOF', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'calls_total', help: 'Calls "in" a\nline.', labelNames: ['a'], registers }).inc(
      { a: 'x"\\\n' },
      2,
    );
    new Gauge({ name: 'height', help: 'Height.', registers }).set(Number.POSITIVE_INFINITY);
    expect(await openMetricsText(registry)).toBe(
      [
        '# HELP calls Calls \\"in\\" a\\nline.',
        '# TYPE calls counter',
        'calls_total{a="x\\"\\\\\\n"} 2',
        '# HELP height Height.',
        '# TYPE height gauge',
        'height +Inf',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('leaves the registry as it was for the other form', async () => {
    const registry = new Registry();
    new Counter({ name: 'calls_total', help: 'Calls.', registers: [registry] }).inc();
    const before = await registry.metrics();
    await openMetricsText(registry);
    expect(await registry.metrics()).toBe(before);
  });
});

describe('wantsOpenMetrics', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['text/plain;version=0.0.4', false],
    ['application/openmetrics-text', true],
    ['application/openmetrics-text;version=1.0.0;q=0', false],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.2', false],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      true,
    ],
  ])('%s: %s', (accept, expected) => {
    expect(wantsOpenMetrics(accept)).toBe(expected);
  });
});
