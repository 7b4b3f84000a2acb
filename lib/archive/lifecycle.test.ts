import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { compactedFolder } from './compaction.ts';
import { idIndexFolder } from './id-index-keys.ts';
import { DATASETS, datasetFolders } from './object-keys.ts';

const FILE = path.join(import.meta.dirname, '../../operations/s3/lifecycle.json');

it('expires every dataset by the rules that operators are given, and never the chain', () => {
  const { Rules } = JSON.parse(readFileSync(FILE, 'utf8')) as {
    Rules: { Filter: { Prefix: string }; Expiration?: { Days: number } }[];
  };
  const expired = Rules.filter(({ Expiration }) => Expiration !== undefined).map(({ Filter }) => Filter.Prefix);
  const folders = DATASETS.flatMap((dataset) => [
    ...datasetFolders('spanloom', dataset),
    compactedFolder('spanloom', dataset),
  ]);
  expect(expired.sort()).toEqual([...folders, idIndexFolder('spanloom')].sort());
});
