import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import { ROOT } from './sources.ts';

const folder = path.join(ROOT, 'schemas');
const names = globSync('*.avsc', { cwd: folder }).map((file) => file.replace('.avsc', ''));
const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
const ids = read('ids.json') as Record<string, number>;

describe('schemas', () => {
  it.each(names)('%s is a record with a sentence about it, and has an id of its own', (name) => {
    const schema = read(`${name}.avsc`);
    expect(avsc.Type.forSchema(schema).typeName).toBe('record');
    expect(schema.doc).toMatch(/\.$/);
    const id = ids[schema.name] as number;
    expect(Number.isInteger(id)).toBe(true);
    expect(Object.values(ids).filter((other) => other === id)).toHaveLength(1);
  });

  it('have ids only for what is there', () => {
    expect(Object.keys(ids).sort()).toEqual(names.map((name) => read(`${name}.avsc`).name).sort());
  });
});
