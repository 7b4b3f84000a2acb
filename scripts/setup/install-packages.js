import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runQuietly } from './run-process.js';

/**
 * Runs `npm ci` when node_modules is missing or does not hold what package-lock.json names.
 * @throws Error with what npm said when it fails.
 */
export async function installPackages(root) {
  const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  const mark = path.join(root, 'node_modules/.spanloom-lock');
  const hash = createHash('sha256').update(lock).digest('hex');
  if (textOf(mark) === hash) return;

  const reason = whyToInstall(root, lock);
  if (reason !== undefined) {
    process.stderr.write(`Installing packages with npm ci (${reason}); this takes up to a minute …\n`);
    const startedAt = Date.now();
    const { code, output } = await npm(['ci', '--include=dev', '--no-audit', '--no-fund'], root);
    if (code !== 0) throw new Error(`npm ci failed with exit code ${code}. It said:\n${output.trim()}`);
    process.stderr.write(`Packages installed (${Math.round((Date.now() - startedAt) / 1000)} s)\n`);
  }
  writeFileSync(mark, hash);
}

/** npm itself, as it runs us, else the one on PATH. */
export function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  const isNpm = cli !== undefined && path.basename(cli).startsWith('npm') && existsSync(cli);
  return isNpm ? runQuietly(process.execPath, [cli, ...args], { cwd }) : runQuietly('npm', args, { cwd });
}

/** npm writes down what it put into node_modules; packages for other systems are not there, and need not be. */
function whyToInstall(root, lock) {
  const installedText = textOf(path.join(root, 'node_modules/.package-lock.json'));
  if (installedText === undefined) return 'there is no node_modules yet';
  const installed = JSON.parse(installedText).packages ?? {};
  const wanted = Object.entries(JSON.parse(lock).packages ?? {}).filter(([name]) => name !== '');
  const isCurrent = wanted.every(([name, { version, optional, devOptional }]) => {
    const there = installed[name];
    if (there === undefined) return optional === true || devOptional === true;
    return there.version === version;
  });
  return isCurrent ? undefined : 'package-lock.json has changed';
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
