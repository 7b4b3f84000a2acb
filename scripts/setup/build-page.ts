import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type OutputFile } from 'esbuild';

export interface BuiltPage {
  readonly files: readonly { readonly name: string; readonly gzippedBytes: number }[];
  readonly gzippedBytes: number;
}

/** Where the page's sources are. */
export const PAGE_FOLDER = path.join(import.meta.dirname, '../../services/console/page');

/**
 * Bundles the page into `folder`, which is emptied first: index.html, the icon, and below assets/ files whose names carry a
 * hash of their content. What is in there runs from any static server; nothing is loaded from elsewhere.
 */
export async function buildPage(folder: string): Promise<BuiltPage> {
  const worker = await bundle({ entryPoints: ['layout-worker.ts'] });
  const workerName = nameOf(worker, /layout-worker-\w+\.js$/);
  const app = await bundle({
    entryPoints: ['main.tsx', 'styles/main.css'],
    splitting: true,
    chunkNames: '[name]-[hash]',
    define: { LAYOUT_WORKER: JSON.stringify(workerName) },
  });
  const html = (await readFile(path.join(PAGE_FOLDER, 'index.html'), 'utf8'))
    .replace('main.css', `assets/${nameOf(app, /main-\w+\.css$/)}`)
    .replace('main.tsx', `assets/${nameOf(app, /main-\w+\.js$/)}`);

  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'assets'), { recursive: true });
  await writeFile(path.join(folder, 'index.html'), html);
  await cp(path.join(PAGE_FOLDER, 'icon.svg'), path.join(folder, 'icon.svg'));
  const assets = [...worker, ...app];
  for (const file of assets) await writeFile(path.join(folder, 'assets', path.basename(file.path)), file.contents);
  return sizes([
    { name: 'index.html', contents: Buffer.from(html) },
    { name: 'icon.svg', contents: await readFile(path.join(PAGE_FOLDER, 'icon.svg')) },
    ...assets.map((file) => ({ name: `assets/${path.basename(file.path)}`, contents: file.contents })),
  ]);
}

async function bundle(options: BuildOptions): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: PAGE_FOLDER,
    outdir: 'assets',
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
    ...options,
  });
  return outputFiles ?? [];
}

function nameOf(files: readonly OutputFile[], pattern: RegExp): string {
  const file = files.find(({ path: name }) => pattern.test(name));
  if (file === undefined) throw new Error(`The bundle of the console's page has no file like ${pattern}.`);
  return path.basename(file.path);
}

function sizes(files: readonly { name: string; contents: Uint8Array }[]): BuiltPage {
  const sized = files.map(({ name, contents }) => ({ name, gzippedBytes: gzipSync(contents, { level: 9 }).length }));
  return { files: sized, gzippedBytes: sized.reduce((sum, file) => sum + file.gzippedBytes, 0) };
}
