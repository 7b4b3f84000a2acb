/**
 * What the console's page costs a browser: the first paint of a small shop's graph, and a waterfall of 10 000 spans until a
 * key moves through it. `rendererCpuMs` is CPU time of all threads of the page's process, which a busy
 * machine hardly lengthens; `elapsedMs` is the clock.
 *
 *     node scripts/run.js script bench/console-page.ts [--profile DIR] [--json]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { CDPSession } from 'playwright-core';
import { type OpenPage, PageWorld } from '../test/browser/open-page.ts';
import { shopAnswers } from '../test/browser/shop-answers.ts';
import { traceOf } from '../test/browser/shop-world.ts';

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

interface Cost {
  readonly elapsedMs: number;
  readonly rendererCpuMs: number;
}

const world = new PageWorld();
try {
  await world.start((request) =>
    request.path === `traces/${TRACE_ID}` ? { text: trace } : request.path === 'graph' ? shop(request) : shop(request),
  );
  const rounds = Number(options.rounds);
  const result = {
    /** With the start of the browser's process for it. */
    graphFirstPaint: await best(rounds, 'graph', {
      prepare: () => Promise.resolve(),
      act: ({ open }) => open('#/graph', '.node'),
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

async function keepProfile(session: CDPSession, folder: string, name: string): Promise<void> {
  const { profile } = await session.send('Profiler.stop');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
}
