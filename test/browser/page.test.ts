import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Span } from '../../services/console/page/core/api-types.ts';
import { describeInBrowser } from './describe-in-browser.ts';
import { axeViolations, keepScreenshot, type OpenPage, PageWorld } from './open-page.ts';
import { shopAnswers } from './shop-answers.ts';
import { INCIDENT_ID, shopTrace, traceIdOf, traceOf } from './shop-world.ts';

const LARGE_ID = 'b'.repeat(32);
const HOSTILE_ID = 'e'.repeat(32);
const MARKUP = '<img src=x onerror=alert(1)><script>alert(2)</script>';
const HOSTILE = `${MARKUP}\u202eevil\u0000\u001b[31m`;
const LARGE_SPANS = 80_000;
/** For what hangs, not for what is slow. */
const TEST_MS = 180_000;
const GZIPPED_KILOBYTES_MAX = 120;

const world = new PageWorld();
const shop = shopAnswers();

/** Twenty levels deep, again and again, every 997th span failed. */
function largeTrace() {
  const lines = Array.from({ length: LARGE_SPANS }, (_, at): Parameters<typeof traceOf>[1][number] => [
    at === 0 ? 0 : 1 + Math.min(at % 20, at - 1),
    `service-${at % 9}`,
    `operation ${at}`,
    'internal',
    at * 0.01,
    at === 0 ? 900 : 5,
    at % 997 === 996,
  ]);
  return traceOf(LARGE_ID, lines, false);
}

function hostileTrace() {
  const trace = shopTrace(HOSTILE_ID, true);
  const attributes = [
    { key: HOSTILE, type: 'string' as const, value: HOSTILE },
    { key: 'large', type: 'string' as const, value: 'x'.repeat(1_048_576) },
  ];
  const spans = trace.spans.map(
    (span): Span => ({
      ...span,
      service: HOSTILE,
      operation: HOSTILE,
      statusMessage: HOSTILE,
      detail: { attributes, events: [], links: [], scope: HOSTILE },
    }),
  );
  return {
    ...trace,
    rootService: HOSTILE,
    rootOperation: HOSTILE,
    services: [{ name: HOSTILE, spanCount: 20, errorCount: 8 }],
    spans,
  };
}

const VIEWS: readonly (readonly [name: string, hash: string, seen: string])[] = [
  ['graph', '#/graph', '.node'],
  ['graph-panel', '#/graph?service=payment', '.exemplars'],
  ['graph-table', '#/graph?as=table', '.data'],
  ['search', '#/search', '.card'],
  ['trace', `#/trace/${traceIdOf(0)}?selected=00000000000000b2`, '.span-panel .attributes'],
  ['statistics', `#/trace/${traceIdOf(0)}?tab=statistics`, '.data'],
  ['compare', `#/trace/${traceIdOf(0)}?tab=compare`, '.mini'],
  ['incidents', '#/incidents', '.card'],
  ['incident', `#/incident/${INCIDENT_ID}`, '.mini'],
];

describeInBrowser("the console's page", () => {
  let opened: OpenPage;
  let gzippedKilobytes: number;
  beforeAll(async () => {
    const built = await world.start((request) => {
      if (request.path === `traces/${LARGE_ID}`) return largeTrace();
      if (request.path === `traces/${HOSTILE_ID}`) return hostileTrace();
      return shop(request);
    });
    gzippedKilobytes = built.gzippedBytes / 1024;
    process.stderr.write(`The console's page has ${gzippedKilobytes.toFixed(1)} KB gzipped.\n`);
  }, TEST_MS);
  afterAll(() => world.stop());
  beforeEach(async () => {
    opened = await world.newPage();
  });

  it(`has at most ${GZIPPED_KILOBYTES_MAX} KB gzipped in all`, () => {
    expect(gzippedKilobytes).toBeLessThan(GZIPPED_KILOBYTES_MAX);
  });

  it.each(VIEWS)(
    '%s breaks no rule of accessibility in dark or light, and none of its policy',
    async (name, hash, seen) => {
      for (const theme of ['light', 'dark'] as const) {
        const { page, open, mishaps } = await world.newPage(theme);
        await open(hash, seen);
        expect(await axeViolations(page)).toEqual([]);
        expect(mishaps).toEqual([]);
        if (theme === 'dark') await keepScreenshot(page, name);
        await page.context().close();
      }
    },
    TEST_MS,
  );

  it(
    'leads from the graph to the cause of the outage in two clicks',
    async () => {
      const { page, open } = opened;
      await open('#/graph', '.node');
      await page.click('nav a[href="#/incidents"]');
      await page.click('.incident-card.active');
      await page.waitForSelector('.incident-head');
      expect(await page.textContent('.incident-head h1')).toContain('orders-db fails');
      expect(await page.textContent('.causes > li:first-child')).toContain('orders-db, as payment saw it');
    },
    TEST_MS,
  );

  it(
    'is worked by keys: along calls, into a panel, out again',
    async () => {
      const { page, open } = opened;
      await open('#/graph', '.node');
      await page.focus('[data-name="user"]');
      await page.keyboard.press('ArrowRight');
      expect(await page.evaluate('document.activeElement.dataset.name')).toBe('api-gateway');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.panel');
      expect(page.url()).toContain('service=api-gateway');
      await page.keyboard.press('Escape');
      await page.waitForSelector('.panel', { state: 'detached' });
    },
    TEST_MS,
  );

  it(
    'leads to the first error of 80 000 spans by one key, and draws only what is seen',
    async () => {
      const { page, open } = opened;
      await open(`#/trace/${LARGE_ID}`, '.span-row');
      await page.focus('.rows');
      await page.keyboard.press('e');
      await page.waitForSelector('.span-row.current.failed');
      expect(await page.textContent('.span-row.current')).toContain('operation 996');
      expect(await page.locator('.span-row').count()).toBeLessThan(100);
    },
    TEST_MS,
  );

  it(
    'shows markup, marks of direction, control characters and a megabyte as text',
    async () => {
      const { page, open, mishaps } = opened;
      await open(`#/trace/${HOSTILE_ID}?selected=00000000000000a1`, '.span-panel .attributes');
      const text = (await page.textContent('.span-panel')) ?? '';
      expect(text).toContain(`${MARKUP}⟨U+202E⟩evil␀␛[31m`);
      expect(text.length).toBeLessThan(20_000);
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(mishaps).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'keeps an acknowledgement and a note, and copies the incident as Markdown',
    async () => {
      const { page, open } = opened;
      await open(`#/incident/${INCIDENT_ID}`, '.response');
      await page.fill('.response input', 'Noor');
      await page.click('.response .button.primary');
      await page.waitForSelector('.response:has-text("Noor is on it")');
      await page.fill('.response textarea', 'Rolled back.');
      await page.click('.response form .button');
      await page.waitForSelector('.notes li:has-text("Rolled back.")');
      await page.click('button:has-text("Copy as Markdown")');
      await page.waitForSelector('button:has-text("Copied")');
      expect(await page.evaluate('navigator.clipboard.readText()')).toContain(
        '# CRITICAL: The database orders-db fails',
      );
    },
    TEST_MS,
  );

  it(
    'says so when there is no such incident',
    async () => {
      const { page, open } = opened;
      await open(`#/incident/${'0'.repeat(16)}`, '[role=alert]');
      expect(await page.textContent('[role=alert]')).toContain('There is no such incident');
    },
    TEST_MS,
  );
});
