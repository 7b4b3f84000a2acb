/**
 * `node scripts/run.js COMMAND [arguments]`: everything from a fresh checkout on. Plain JavaScript for Node 20 without
 * dependencies: it installs the packages when they are missing or old, then goes on under the Node that they bring.
 */
import path from 'node:path';
import { installPackages } from './setup/install-packages.js';
import { packagedNode } from './setup/packaged-node.js';
import { run } from './setup/run-process.js';

const root = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');

/** Each command is one or more programs under Node 24; the arguments of the command go to the last. */
const COMMANDS = {
  demo: [
    ['scripts/build-page.ts', '--quiet'],
    ['cli/main.ts', 'demo'],
  ],
  up: [
    ['scripts/build-page.ts', '--quiet'],
    ['cli/main.ts', 'up'],
  ],
  test: [['scripts/test.ts']],
  'test:unit': [['scripts/test.ts', '--unit']],
  'test:browser': [['scripts/test.ts', '--browser']],
  'build:page': [['scripts/build-page.ts']],
  'test:fuzz': [['scripts/fuzz.ts']],
  'test:faults': [['scripts/test.ts', '--faults']],
  bench: [['bench/main.ts']],
  simulate: [['scripts/simulate.ts']],
  soak: [['scripts/soak.ts']],
  evaluate: [['bench/evaluate/main.ts']],
  check: [
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
    ['node_modules/typescript/bin/tsc', '-p', 'services/console/page/tsconfig.json'],
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
    ['scripts/docs.ts', '--check'],
    ['scripts/dockerfile-steps.ts'],
  ],
  docs: [['scripts/docs.ts']],
  /** Any script of this repository: `node scripts/run.js script scripts/dev-stack.ts`. */
  script: [[]],
};

const [name = '', ...args] = process.argv.slice(2);
const programs = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (programs === undefined) {
  process.stderr.write(`spanloom: '${name}' is no command. Commands: ${Object.keys(COMMANDS).join(', ')}.\n`);
  process.exit(64);
}

try {
  await installPackages(root);
  const node = await packagedNode(root);
  let exitCode = 0;
  for (const [index, program] of programs.entries()) {
    const isLast = index === programs.length - 1;
    // All run, so that one round shows all there is to mend.
    exitCode = (await run(node, [...program, ...(isLast ? args : [])], { root })) || exitCode;
  }
  process.exitCode = exitCode;
} catch (error) {
  process.stderr.write(`spanloom: ${error.message}\n`);
  process.exitCode = 1;
}
