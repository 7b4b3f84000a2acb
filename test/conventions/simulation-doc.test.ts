import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from './sources.ts';

describe('docs/design/simulation.md', () => {
  it('lists the rules that are taken out in tests, and no others', () => {
    const listed = tableOf('docs/design/simulation.md', '| machine | without |').map(
      ([machine, rule]) => `${machine}: ${rule}`,
    );
    const tested = globSync('test/simulation/*.test.ts', { cwd: ROOT }).flatMap(rulesTakenOut);
    expect(tested.length).toBeGreaterThan(20);
    expect(listed.sort()).toEqual(tested.sort());
  });
});

describe('the hazards of docs/design/kafka-protocol.md', () => {
  const rows = tableOf('docs/design/kafka-protocol.md', '| hazard | rule |');

  it('are all of them', () => {
    for (let number = 1; number <= 10; number++)
      expect(rows.some(([hazard]) => hazard?.startsWith(`K${number} `))).toBe(true);
  });

  it.each(rows)('%s', (_hazard, _rule, where, test) => {
    for (const [, file] of where?.matchAll(/`([^`]+)`/g) ?? []) expect(sourceOf(file as string)).not.toBe('');
    const tests = [...(test ?? '').matchAll(/`([^`]+)`: "([^"]+)"/g)];
    expect(tests).not.toEqual([]);
    for (const [, file, title] of tests) expect(sourceOf(file as string)).toContain(title);
  });
});

/** Cells of the rows of the table that begins so. */
function tableOf(file: string, head: string): string[][] {
  const lines = read(file).split('\n');
  const start = lines.findIndex((line) => line.startsWith(head));
  if (start < 0) throw new Error(`${file} has no table '${head}'`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + 2, start + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** `machine: rule` of each key of a test's BROKEN. */
function rulesTakenOut(file: string): string[] {
  const [, body] = /const BROKEN = \{\n([\s\S]*?)\n\};/.exec(read(file)) ?? [];
  const machine = path.basename(file, '.test.ts');
  return [...(body ?? '').matchAll(/^ {2}(?:'([^']+)'|"([^"]+)"|(\w+)):/gm)].map(
    ([, single, double, bare]) => `${machine}: ${single ?? double ?? bare}`,
  );
}

/** Of a path from the root, or of a file of lib/kafka; empty when there is none. */
function sourceOf(file: string): string {
  const [found] = globSync([file, `lib/kafka/${file}`, `lib/worker/${file}`], { cwd: ROOT });
  return found === undefined ? '' : read(found);
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
