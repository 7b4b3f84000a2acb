/**
 * A duration as Go's `time.ParseDuration` reads it, e.g. `1.5s`, `1h30m`, `100us`: how Jaeger's clients write one.
 *
 * @returns milliseconds; undefined when it is none, or negative.
 */
export function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > LENGTH_MAX || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    sum += Number(number) * (MILLIS_OF[unit as string] as number);
  }
  return sum;
}

const MILLIS_OF: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Both letters mu: the micro sign and the Greek one.
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const LENGTH_MAX = 100;
