/**
 * Makes dist/, the form in which the package is published: Node does not strip types below node_modules, so the sources
 * are compiled, and what they read at run time lies beside them as it does in the checkout. Run by `npm pack`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packagedNode } from './setup/packaged-node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
const COMPILED = ['cli', 'lib', 'services'];
const NOT_AN_ASSET = /\.(ts|js|md)$/;
/** Sources that are bundled, not copied. */
const PAGE = path.join('services', 'console', 'page');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
cpSync(path.join(root, 'schemas'), path.join(dist, 'schemas'), { recursive: true });
const API = path.join('services', 'console', 'openapi.yaml');
cpSync(path.join(root, API), path.join(dist, API));
for (const folder of COMPILED) {
  for (const entry of readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
    const file = path.relative(root, path.join(entry.parentPath, entry.name));
    if (!entry.isFile() || NOT_AN_ASSET.test(entry.name) || file.startsWith(PAGE + path.sep)) continue;
    cpSync(path.join(root, file), path.join(dist, file));
  }
}
execFileSync(await packagedNode(root), ['scripts/build-page.ts', path.join(dist, PAGE, 'dist'), '--quiet'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
