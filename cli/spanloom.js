#!/usr/bin/env node
/**
 * Starts the `spanloom` command under a Node that can run it. Plain JavaScript for Node 20: on such a machine the
 * package `node`, a dependency, brings Node 24. An installed package runs the compiled files in dist/, since Node does
 * not strip types below node_modules; a checkout runs its sources.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const compiled = path.join(here, '../dist/cli/main.js');
const source = path.join(here, 'main.ts');
// A checkout may hold a stale dist/ from `npm pack`; its sources win.
const entry = existsSync(source) ? source : compiled;

if (!existsSync(entry)) fail('The installation is incomplete: neither dist/ nor the sources are there.');
if (runsHere()) {
  await import(pathToFileURL(entry).href);
} else {
  startUnder(packagedNode());
}

/** zstd in node:zlib needs 22.15; running TypeScript as it is needs 22.18 or 24. */
function runsHere() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (entry === source) return major >= 24 || (major === 22 && minor >= 18);
  return major >= 23 || (major === 22 && minor >= 15);
}

/** Wherever npm put the package `node`: nested below us or hoisted beside us. */
function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
    const binary = path.join(path.dirname(manifest), typeof bin === 'string' ? bin : bin.node);
    if (existsSync(binary)) return binary;
  } catch {
    // Said below.
  }
  return fail(
    `Node ${process.versions.node} is too old and the package 'node' is not installed. ` +
      "Run 'npm install' (with its install scripts), or use Node 24.",
  );
}

/** The channel (ipc) tells the child when this process is gone, however it went. */
function startUnder(binary) {
  const child = spawn(binary, [entry, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // Ctrl-C reaches the child twice, once from the terminal and once from here; commands take the two as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`Cannot start ${binary}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function fail(sentence) {
  process.stderr.write(`spanloom: ${sentence}\n`);
  process.exit(1);
}
