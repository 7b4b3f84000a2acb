import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Answer } from './router.ts';

/** The page's files, read once: no path that is asked for is looked up on disk. */
export interface StaticPage {
  get(pathname: string): Answer;
}

/** @param folder of the built page, with its index.html. */
export function openStaticPage(folder: string): StaticPage {
  const files = new Map<string, Answer>();
  if (existsSync(path.join(folder, 'index.html'))) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const name = `/${path.relative(folder, file).split(path.sep).join('/')}`;
      const type = TYPES[path.extname(name)];
      // Source maps and whatever else a build leaves are nobody's business.
      if (type === undefined) continue;
      const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
      files.set(name, { body: readFileSync(file), type, cache });
    }
  }
  const index = files.get('/index.html') ?? { body: NOT_BUILT, type: 'text/html; charset=utf-8', cache: 'no-store' };
  return {
    get(pathname) {
      const file = files.get(pathname);
      if (file !== undefined) return file;
      if (!(pathname.split('/').at(-1) ?? '').includes('.')) return index;
      return { refusal: { status: 404, code: 'NO_SUCH_FILE', message: 'There is no such file.' } };
    },
  };
}

const NOT_BUILT = `<!doctype html><html lang="en"><title>Spanloom</title><h1>Spanloom console</h1>
<p>The API answers, but the page is not built. Start it with <code>npm run up</code> or <code>npm run demo</code>, or set
<code>CONSOLE_PAGE_DIR</code> to a folder with the built page.</p>
<p><a href="/api/console/openapi.yaml">The API</a></p></html>
`;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};
