import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type BuiltPage, buildPage, PAGE_FOLDER } from '../../scripts/setup/build-page.ts';
import { findChromium } from '../../scripts/setup/chromium.ts';
import { type Answers, type PageServer, startPageServer } from './page-server.ts';
import { NOW_MS } from './shop-world.ts';

/** For what hangs, not for what is slow. */
const PATIENCE_MS = 90_000;
const ROOT = path.join(import.meta.dirname, '../..');
const FOLDER = path.join(PAGE_FOLDER, 'dist');

export interface OpenPage {
  readonly page: Page;
  /** What must not happen: errors of the page, breaches of its policy, dialogs. */
  readonly mishaps: string[];
  open(hash: string, seen: string): Promise<void>;
}

/** One browser and one server for the tests of a file. */
export class PageWorld {
  private browser: Browser | undefined;
  private server: PageServer | undefined;

  async start(answers: Answers): Promise<BuiltPage> {
    const built = await buildPage(FOLDER);
    this.server = await startPageServer(FOLDER, answers);
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    this.browser = await chromium.launch({ executablePath: findChromium() as string, args, timeout: PATIENCE_MS });
    return built;
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    await this.server?.close();
  }

  /** CPU time of all pages so far, in milliseconds. */
  async rendererCpuMs(): Promise<number> {
    const session = await (this.browser as Browser).newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo.reduce((sum, { type, cpuTime }) => sum + (type === 'renderer' ? cpuTime * 1000 : 0), 0);
  }

  async newPage(colorScheme: 'dark' | 'light' = 'dark'): Promise<OpenPage> {
    const viewport = { width: 1280, height: 800 };
    const context = await (this.browser as Browser).newContext({
      viewport,
      colorScheme,
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    // "3 hours ago" would differ from run to run; timers go on.
    await page.clock.setFixedTime(NOW_MS);
    const mishaps: string[] = [];
    page.on('pageerror', (error) => mishaps.push(`error: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && mishaps.push(`console: ${message.text()}`));
    page.on('dialog', (dialog) => {
      mishaps.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    const open = async (hash: string, seen: string) => {
      await page.goto('about:blank');
      await page.goto(`${this.server?.url}${hash}`);
      await page.waitForSelector(seen);
    };
    return { page, mishaps, open };
  }
}

/** The rules of axe that the page breaks, each with an element that does. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(node: unknown): Promise<AxeResult> } };
    const { violations } = await axe.run((globalThis as unknown as { document: unknown }).document);
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
  });
}

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Pictures are taken in every run; with SPANLOOM_SCREENSHOTS=docs those that docs/console.md shows are replaced. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const file = `console/${name}.png`;
  const isForDocs = process.env['SPANLOOM_SCREENSHOTS'] === 'docs' && GUIDE.includes(file);
  const kept = path.join(ROOT, isForDocs ? 'docs' : '.cache/screenshots', file);
  mkdirSync(path.dirname(kept), { recursive: true });
  await page.screenshot({ path: kept, scale: 'css' });
}

const GUIDE = readFileSync(path.join(ROOT, 'docs/console.md'), 'utf8');
