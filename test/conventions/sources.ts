import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The root of the checkout. */
export const ROOT = path.join(import.meta.dirname, '../..');

export interface Source {
  /** From the root, with forward slashes. */
  readonly file: string;
  readonly text: string;
}

/** Every source file that the rules are about, tests included. */
export function sources(): Source[] {
  return filesOf('{cli,lib,services,scripts,bench,test,examples}/**/*.{ts,tsx,js}');
}

export function markdown(): Source[] {
  return filesOf('{*.md,docs/**/*.md,services/**/*.md,lib/**/*.md,bench/*.md,examples/*.md,operations/*.md}');
}

function filesOf(pattern: string): Source[] {
  return globSync(pattern, { cwd: ROOT, exclude: (name) => name === 'node_modules' || name === 'dist' })
    .map((file) => file.replaceAll('\\', '/'))
    .sort()
    .map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
}

/** What a module imports: files of ours from the root, packages by name. */
export function importsOf({ file, text }: Source): string[] {
  const found = [
    ...text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm),
  ];
  return found.map(([, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    return name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name;
  });
}
