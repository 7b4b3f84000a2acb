import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { completeLock, missingOptional } from './complete-lock.ts';

const LOCK = {
  packages: {
    '': {},
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: {
        '@tool/linux-x64-musl': '1.0.0',
        '@tool/linux-x64': '1.0.0',
        '@tool/win32-arm64': '1.0.0',
      },
    },
    'node_modules/tool/node_modules/@tool/linux-x64': { version: '1.0.0' },
  },
};

describe('completeLock', () => {
  it('adds the optional packages that are missing, each for its own system', () => {
    const { packages } = completeLock(LOCK);
    expect(packages['node_modules/@tool/win32-arm64']).toEqual({
      version: '1.0.0',
      os: ['win32'],
      cpu: ['arm64'],
      dev: true,
      optional: true,
    });
    expect(packages['node_modules/@tool/linux-x64-musl']).toMatchObject({
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    });
    expect(missingOptional({ packages })).toEqual([]);
    expect(Object.keys(packages)).toHaveLength(5);
  });
});

describe('package-lock.json', () => {
  it('holds every optional dependency, so that npm ci takes it', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
    expect(missingOptional(lock)).toEqual([]);
  });
});
