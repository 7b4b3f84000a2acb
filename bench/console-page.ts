/**
 * What the console's page costs a browser: the first paint of a small shop's graph, a graph of 200 services and 600 edges
 * until it is laid out, and a waterfall of 10 000 spans until a key moves through it. `rendererCpuMs` is CPU time of all
 * threads of the page's process, which a busy machine hardly lengthens; `elapsedMs` is the clock.
 *
 *     node scripts/run.js script bench/console-page.ts [--profile DIR] [--json]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { CDPSession } from 'playwright-core';
import type { Graph } from '../services/console/page/core/api-types.ts';
import { type OpenPage, PageWorld } from '../test/browser/open-page.ts';
import { shopAnswers } from '../test/browser/shop-answers.ts';
import { NOW_MS, shopGraph, traceOf } from '../test/browser/shop-world.ts';

const { values: options } = parseArgs({
  options: {
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    spans: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
  },
});
const SPANS = Number(options.spans);
const TRACE_ID = 'b'.repeat(32);
const shop = shopAnswers();
const trace = JSON.stringify(
  traceOf(
    TRACE_ID,
    Array.from({ length: SPANS }, (_, at) => [
      at === 0 ? 0 : 1 + Math.min(at % 20, at - 1),
      `service-${at % 9}`,
      `operation ${at % 300}`,
      'internal' as const,
      at * 0.01,
      at === 0 ? SPANS * 0.02 : 5,
      at % 997 === 996,
    ]),
    SPANS <= 2_000,
  ),
);

/** What the server answers for the graph, when it is not the shop's. */
let graph: Graph | undefined;

interface Cost {
  readonly elapsedMs: number;
  readonly rendererCpuMs: number;
}

const world = new PageWorld();
try {
  await world.start((request) =>
    request.path === `traces/${TRACE_ID}` ? { text: trace } : request.path === 'graph' && graph ? graph : shop(request),
  );
  const rounds = Number(options.rounds);
  const result = {
    /** With the start of the browser's process for it. */
    graphFirstPaint: await best(rounds, 'graph', {
      prepare: () => Promise.resolve(),
      act: ({ open }) => open('#/graph', '.node'),
    }),
    /** From the list of traces; the layout is made in a worker, which is of the same process. */
    graphOf200: await best(rounds, 'large-graph', {
      async prepare({ open }) {
        await open('#/search', '.card');
        graph = largeGraph(200, 600);
      },
      async act({ page }) {
        await page.evaluate(`location.hash = '#/graph'`);
        await page.waitForSelector('.node');
      },
    }),
    /** From the list of traces. */
    [`waterfallOf${SPANS}`]: await best(rounds, 'waterfall', {
      prepare: ({ open }) => open('#/search', '.card'),
      async act({ page }) {
        await page.evaluate(`location.hash = '#/trace/${TRACE_ID}'`);
        await page.waitForSelector('.span-row');
        await page.focus('.rows');
        await page.keyboard.press('End');
        await page.waitForSelector(`#row-${SPANS - 1}`);
      },
    }),
  };
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else console.table(result);
} finally {
  await world.stop();
}

/** The least of several rounds, each in a page of its own: what others do on the machine only adds. */
async function best(
  rounds: number,
  name: string,
  { prepare, act }: Record<'prepare' | 'act', (opened: OpenPage) => Promise<void>>,
): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    const opened = await world.newPage();
    const { page } = opened;
    await prepare(opened);
    const session = await page.context().newCDPSession(page);
    if (options.profile !== undefined) await session.send('Profiler.enable').then(() => session.send('Profiler.start'));
    const [startedMs, before] = [performance.now(), await world.rendererCpuMs()];
    await act(opened);
    costs.push({
      elapsedMs: performance.now() - startedMs,
      rendererCpuMs: (await world.rendererCpuMs()) - before,
    });
    if (options.profile !== undefined) await keepProfile(session, options.profile, `${name}-${round}`);
    await page.context().close();
  }
  return {
    elapsedMs: Math.round(Math.min(...costs.map((cost) => cost.elapsedMs))),
    rendererCpuMs: Math.round(Math.min(...costs.map((cost) => cost.rendererCpuMs))),
  };
}

/** Layers of services that call the ones behind them, each by the figures of one of the shop's. */
function largeGraph(services: number, edges: number): Graph {
  const sample = shopGraph(NOW_MS - 900_000, NOW_MS);
  const name = (at: number) => `service-${at}`;
  const links = new Set<string>();
  for (let at = 1; at < services; at++) links.add(`${Math.floor(at / 3)} ${at}`);
  for (let at = 0; links.size < edges; at++) {
    const client = (at * 7) % (services - 20);
    links.add(`${client} ${client + 1 + (at % 19)}`);
  }
  return {
    ...sample,
    nodes: Array.from({ length: services }, (_, at) => ({ ...pick(sample.nodes, at), name: name(at) })),
    edges: [...links].map((link, at) => {
      const [client, server] = link.split(' ').map(Number) as [number, number];
      return { ...pick(sample.edges, at), client: name(client), server: name(server) };
    }),
  };
}

function pick<T>(values: readonly T[], at: number): T {
  return values[at % values.length] as T;
}

async function keepProfile(session: CDPSession, folder: string, name: string): Promise<void> {
  const { profile } = await session.send('Profiler.stop');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
}
