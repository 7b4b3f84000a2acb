/**
 * Runs the Dockerfile's steps without Docker: every COPY and RUN of each stage in a folder of its own, honouring
 * .dockerignore, then the image's command with --help. So a file that was forgotten, or a dependency that is only there
 * for development, shows without a daemon.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DockerStage, ignoredBy, parseDockerfile } from './setup/dockerfile.ts';

const root = path.join(import.meta.dirname, '..');
const stages = parseDockerfile(readFileSync(path.join(root, 'Dockerfile'), 'utf8'));
const isIgnored = ignoredBy(readFileSync(path.join(root, '.dockerignore'), 'utf8'));
const images = mkdtempSync(path.join(tmpdir(), 'spanloom-image-'));

try {
  for (const stage of stages) build(stage);
  const last = stages.at(-1) as DockerStage;
  const [command = '', ...args] = [...last.entrypoint, '--help'];
  const help = run(command, args, path.join(images, last.name, last.workdir), last.env).toString();
  if (!help.includes('spanloom')) throw new Error(`the image's command says: ${help}`);
  process.stdout.write(`Dockerfile: ${stages.length} stages run, the command answers\n`);
} finally {
  rmSync(images, { recursive: true, force: true });
}

function build(stage: DockerStage): void {
  const folder = path.join(images, stage.name, stage.workdir);
  mkdirSync(folder, { recursive: true });
  for (const step of stage.steps) {
    if (step.kind === 'run') run('sh', ['-c', step.command], folder, stage.env);
    else copy(step.from, step.sources, folder, step.target);
  }
}

function copy(from: string | undefined, sources: readonly string[], folder: string, target: string): void {
  const base = from === undefined ? root : path.join(images, from);
  for (const source of sources) {
    const found = globSync(source.replace(/^\//, ''), { cwd: base });
    if (found.length === 0 && !source.includes('*')) throw new Error(`COPY ${source}: there is no such file`);
    for (const name of found) {
      const isFolderCopy = !target.endsWith('/') || sources.length === 1;
      const to = path.join(folder, isFolderCopy && target !== './' ? target : path.join(target, path.basename(name)));
      const filter = (file: string) =>
        from !== undefined || file === path.join(base, name) || !isIgnored(path.relative(root, file));
      if (from === undefined && isIgnored(name)) throw new Error(`COPY ${source}: .dockerignore leaves it out`);
      if (existsSync(path.join(base, name))) cpSync(path.join(base, name), to, { recursive: true, filter });
    }
  }
}

function run(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Buffer {
  // The base image's `node` is the one that runs this script.
  const searched = `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH']}`;
  return execFileSync(command, args, {
    cwd,
    env: { ...process.env, ...env, PATH: searched },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
