import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packageRoot } from './package-root.ts';

describe('the root of the package', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-root-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is found from sources, from compiled files, and not in a package around it', async () => {
    const root = join(dir, 'app/node_modules/spanloom');
    await mkdir(root, { recursive: true });
    await writeFile(join(dir, 'app/package.json'), '{"name":"app"}');
    await writeFile(join(root, 'package.json'), '{"name":"spanloom"}');
    expect(packageRoot(join(root, 'lib/testkit/stack'))).toBe(root);
    expect(packageRoot(join(root, 'dist/lib/testkit/stack'))).toBe(root);
    expect(() => packageRoot(join(dir, 'app/lib'))).toThrow(/No package.json of spanloom/);
  });
});
