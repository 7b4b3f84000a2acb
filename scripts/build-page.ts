/**
 * `npm run build:page [-- FOLDER]`: bundles the console's page into services/console/page/dist, or another folder, and
 * prints what a browser loads of it.
 */
import path from 'node:path';
import { buildPage, PAGE_FOLDER } from './setup/build-page.ts';

const folder = path.resolve(process.argv[2] ?? path.join(PAGE_FOLDER, 'dist'));
const { files, gzippedBytes } = await buildPage(folder);
for (const file of files) process.stdout.write(`${kilobytes(file.gzippedBytes).padStart(9)}  ${file.name}\n`);
process.stdout.write(`${kilobytes(gzippedBytes).padStart(9)}  the console's page, gzipped, in all\n`);

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
