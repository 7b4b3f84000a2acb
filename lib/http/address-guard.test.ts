import { describe, expect, it } from '@jest/globals';
import { AddressGuard, cidrMistake } from './address-guard.ts';

describe('AddressGuard', () => {
  it.each([
    ...['127.0.0.1', '127.8.8.8', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1'],
    ...['169.254.169.254', '198.18.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1', '203.0.113.9'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12:3456::1', 'ff02::1', '2001:db8::1', '2001::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:10.0.0.1', '::127.0.0.1'],
    ...['64:ff9b::10.0.0.1', '64:ff9b::a00:1', '2002:0a00:0001::1', '2002:7f00:1::'],
  ])('refuses %s', (address) => {
    expect(new AddressGuard([]).refusal(address)).toContain(address);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'lets %s pass',
    (address) => expect(new AddressGuard([]).refusal(address)).toBeUndefined(),
  );

  it('allows only what was allowed, in each of its forms', () => {
    const guard = new AddressGuard(['10.1.0.0/16', '::1', '127.0.0.1']);
    for (const address of ['10.1.9.9', '::1', '127.0.0.1', '::ffff:10.1.2.3', '::ffff:7f00:1']) {
      expect(guard.refusal(address)).toBeUndefined();
    }
    for (const address of ['10.2.0.1', '127.0.0.2', '::ffff:10.2.0.1', 'fe80::1']) {
      expect(guard.refusal(address)).toBeDefined();
    }
  });

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
  ])('sees through %s', (url) =>
    expect(() => new AddressGuard([]).checkLiteral(new URL(url).hostname)).toThrow(/private or special/),
  );

  it('looks at what a name resolves to when it is connected to', async () => {
    const resolve = (guard: AddressGuard, all: boolean) =>
      new Promise((done) => guard.lookup('localhost', { all }, (error, address) => done(error?.message ?? address)));
    expect(await resolve(new AddressGuard([]), true)).toMatch(
      /^localhost is at (127\.0\.0\.1|::1), which is in a private/,
    );
    const open = new AddressGuard(['127.0.0.0/8', '::1']);
    expect(await resolve(open, false)).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await resolve(open, true)).toEqual(
      expect.arrayContaining([expect.objectContaining({ family: expect.any(Number) })]),
    );
  });
});

describe('cidrMistake', () => {
  it.each(['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1'])('takes %s', (range) =>
    expect(cidrMistake(range)).toBeUndefined(),
  );
  it.each(['10.0.0.0/33', 'fd00::/129', 'example.org', '10.0.0.0/8/8', '10.0/8', ''])('refuses %s', (range) =>
    expect(cidrMistake(range)).toBeDefined(),
  );
});
