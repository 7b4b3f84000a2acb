/**
 * `npm run docs`: makes the pages of docs/ that follow from the code. With --check nothing is written; a page that is
 * not what the code says makes the exit code 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GENERATED_PAGES } from './docs/pages.ts';

const root = path.join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const [name, render] of Object.entries(GENERATED_PAGES)) {
  const file = path.join(root, 'docs', name);
  const wanted = await render();
  if (textOf(file) === wanted) continue;
  if (isCheck) stale.push(`docs/${name}`);
  else writeFileSync(file, wanted);
}
if (stale.length > 0) {
  process.stderr.write(`${stale.join(', ')} say something else than the code: run 'npm run docs'.\n`);
  process.exitCode = 1;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
