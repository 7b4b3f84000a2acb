import type { Command } from './command.ts';

/** Values of one scrape by series, as in `spanloom_audit_rounds_total{outcome="clean"}`. */
export type Scrape = ReadonlyMap<string, number>;

/** Reads the metrics of a service that runs as a process, from the address that it printed. */
export async function scrape(service: Command): Promise<Scrape> {
  const { metrics } = JSON.parse(await service.line('stdout', /"metrics":/)) as { metrics: string };
  const text = await (await fetch(metrics)).text();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    series.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
