import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readSettings } from '../../lib/config/settings.ts';
import {
  KAFKA_IMAGE,
  kafkaImageEnvironment,
  REDIS_IMAGE,
  VERSITYGW_IMAGE,
} from '../../lib/testkit/stack/docker/images.ts';
import { S3_ACCESS_KEY_ID, S3_REGION, S3_SECRET_ACCESS_KEY } from '../../lib/testkit/stack/types.ts';
import { SERVICE_MODULES } from '../../scripts/docs/services.ts';
import { ROOT } from './sources.ts';

interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const text = readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { services: Record<string, ComposeService> };
const defaults = (value: string) => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

describe('docker-compose.yml', () => {
  it('binds every port to the loopback interface', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(5);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('runs every service of the repository, from our own image', () => {
    for (const name of globSync('*/main.ts', { cwd: path.join(ROOT, 'services') }).map(path.dirname)) {
      expect(compose.services[name]).toMatchObject({ build: '.', command: ['service', name] });
    }
  });

  it('takes the same images of the servers as the tests', () => {
    expect(compose.services['kafka']?.image).toBe(KAFKA_IMAGE);
    expect(compose.services['redis']?.image).toBe(REDIS_IMAGE);
    expect(compose.services['s3']?.image).toBe(VERSITYGW_IMAGE);
    expect(Object.keys(kafkaImageEnvironment({ 'a.b': 1 }))).toEqual(['KAFKA_A_B']);
  });

  it.each(SERVICE_MODULES)('gives $name settings that it takes', ({ name, settings }) => {
    const environment = compose.services[name]?.environment ?? {};
    const known = new Set(SERVICE_MODULES.flatMap((module) => Object.keys(module.settings.settings)));
    expect(Object.keys(environment).filter((setting) => !known.has(setting))).toEqual([]);
    const values = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, defaults(String(value))]),
    );
    expect(() => readSettings({ settings: settings.settings, checks: [] }, values)).not.toThrow();
  });

  it('uses the keys that the native stack uses, so that examples work with both', () => {
    expect(compose.services['archiver']?.environment).toMatchObject({
      AWS_ACCESS_KEY_ID: S3_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: S3_SECRET_ACCESS_KEY,
      AWS_REGION: S3_REGION,
    });
  });
});
