import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../lib/errors/codes.ts';
import { fileProblems, importProblems, purityProblems } from './rules.ts';
import { importsOf, markdown, ROOT, sources } from './sources.ts';

const SELF = /^test\/conventions\//;
const all = sources().filter(({ file }) => !SELF.test(file));
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe('sources', () => {
  it('import in one direction', () => {
    expect(all.flatMap(importProblems)).toEqual([]);
  });

  it('keep time, chance and the outside away from the core', () => {
    expect(all.flatMap(purityProblems)).toEqual([]);
  });

  it('are files of one idea, named alike, with nothing left to do', () => {
    expect(all.flatMap(fileProblems)).toEqual([]);
  });

  it('use error codes that docs/errors.md explains, and no others are explained', () => {
    const shipped = all.filter(
      ({ file }) => /^(lib|services|cli)\//.test(file) && !/\.test\.ts$|fixtures|codes\.ts$/.test(file),
    );
    const thrown = new Set(
      shipped.flatMap(({ text }) =>
        [...text.matchAll(/new SpanloomError\(\s*'([A-Z0-9_]+)'/g)].map(([, name]) => name as string),
      ),
    );
    expect([...thrown].filter((name) => !(name in ERROR_CODES))).toEqual([]);
    const mentioned = new Set(
      shipped.flatMap(({ text }) => [...text.matchAll(/'([A-Z0-9_]+)'/g)].map(([, name]) => name)),
    );
    expect(Object.keys(ERROR_CODES).filter((name) => !mentioned.has(name))).toEqual([]);
  });
});

describe('packages', () => {
  const installed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });

  it('are each named in docs/dependencies.md, with the reason', () => {
    const page = readFileSync(path.join(ROOT, 'docs/dependencies.md'), 'utf8');
    expect(installed.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('that are imported at run time are dependencies, not only there for development', () => {
    const shipped = all.filter(
      // What the console's page imports is in its bundle.
      ({ file }) =>
        /^(lib|services|cli)\//.test(file) && !/\.test\.ts$|testkit|conformance|^services\/console\/page\//.test(file),
    );
    const packages = new Set(
      shipped
        .flatMap(importsOf)
        .filter((name) => /^[@a-z]/.test(name) && !/^(node:|lib\/|services\/|cli\/|test\/|bench\/)/.test(name)),
    );
    const names = [...packages].map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
    expect(names.filter((name) => !(name in manifest.dependencies))).toEqual([]);
  });
});

describe('documents', () => {
  it('link to files that are there', () => {
    const broken = markdown().flatMap(({ file, text }) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !existsSync(path.join(ROOT, path.dirname(file), target)))
        .map((target) => `${file} → ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const unknown = markdown().flatMap(({ file, text }) =>
      [...text.matchAll(/npm run ([a-z:]+)/g)]
        .filter(([, name]) => !((name as string) in manifest.scripts))
        .map(([command]) => `${file}: ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  it.each(globSync('services/*/main.ts', { cwd: ROOT }).map(path.dirname))(
    '%s says what it consumes, promises and needs',
    (folder) => {
      const text = readFileSync(path.join(ROOT, folder, 'README.md'), 'utf8');
      for (const heading of [
        'consumes',
        'produces',
        '## Guarantee, and where it weakens',
        '## Settings and metrics',
        '## What breaks',
      ]) {
        expect(text).toContain(heading);
      }
    },
  );
});
