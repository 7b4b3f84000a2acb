/**
 * `npm run build:page [-- FOLDER]`: bundles the console's page into services/console/page/dist, or another folder, and
 * prints what a browser loads of it; `--quiet` prints nothing.
 */
import path from 'node:path';
import { buildPage, PAGE_FOLDER } from './setup/build-page.ts';

const args = process.argv.slice(2);
const folder = path.resolve(args.find((arg) => !arg.startsWith('--')) ?? path.join(PAGE_FOLDER, 'dist'));
const { files, gzippedBytes } = await buildPage(folder);
if (!args.includes('--quiet')) {
  for (const file of files) process.stdout.write(`${kilobytes(file.gzippedBytes)}  ${file.name}\n`);
  process.stdout.write(`${kilobytes(gzippedBytes)}  the console's page, gzipped, in all\n`);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`.padStart(9);
}
