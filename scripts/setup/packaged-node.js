import path from 'node:path';
import { runQuietly } from './run-process.js';

/**
 * The Node that the npm package `node` brings. Its binary is put in place by an install script; where scripts are
 * switched off (npm's `ignore-scripts`), that script is run here, once.
 *
 * @throws Error when no Node 24 results.
 */
export async function packagedNode(root) {
  const binary = path.join(root, 'node_modules/node/bin/node');
  if (await runs(binary)) return binary;
  process.stderr.write('Installing Node 24 (npm package node), which the packages have left out …\n');
  const { output } = await runQuietly(process.execPath, ['installArchSpecificPackage'], {
    cwd: path.join(root, 'node_modules/node'),
  });
  if (await runs(binary)) return binary;
  throw new Error(
    "Node 24 is missing: the install script of the npm package 'node' did not put it into node_modules/node/bin. " +
      `Try 'npm rebuild node --ignore-scripts=false'. The script said:\n${output.trim()}`,
  );
}

async function runs(binary) {
  const { code, output } = await runQuietly(binary, ['--version'], {});
  return code === 0 && Number(/^v(\d+)\./.exec(output)?.[1]) >= NODE_MAJOR_MIN;
}

const NODE_MAJOR_MIN = 24;
