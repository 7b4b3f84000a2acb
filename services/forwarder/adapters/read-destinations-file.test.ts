import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DESTINATION_KINDS } from '../core/destination.ts';
import { readDestinationsFile } from './read-destinations-file.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-destinations-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(yaml: string) {
  const file = path.join(folder, 'destinations.yaml');
  // Secrets of the examples are files of some machine.
  writeFileSync(file, yaml.replaceAll(/\$\{file:[^}]*\}/g, 's3cret'));
  return readDestinationsFile(file, { ownTopics: 'spanloom', env: { APM_KEY: 'k', CLICKHOUSE_KEY: 'k' } });
}

describe('what the documentation declares', () => {
  it('is read as it stands, and each of its examples too', () => {
    const example = readFileSync(path.join(ROOT, 'examples/destinations.yaml'), 'utf8');
    expect(read(example).map(({ name }) => name)).toEqual(['receiver']);
    const all = read(example.replaceAll(/^ {2}# ?(?=- | {2})/gm, '  ').replaceAll(/^ {2}#\s*$/gm, ''));
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(DESTINATION_KINDS));
  });

  it('is read from the README, sampling included', () => {
    const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
    const [declared, sampling] = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml as string);
    expect(
      read(declared as string)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([...DESTINATION_KINDS].sort());
    const [destination] = read(`destinations:\n  - name: a\n    kind: zipkin\n    url: http://z:9411\n${sampling}`);
    expect(destination?.sampling?.rules.map(({ name }) => name)).toEqual([
      'health',
      'errors',
      'incidents',
      'slow',
      'checkout',
      'rest',
    ]);
  });
});
