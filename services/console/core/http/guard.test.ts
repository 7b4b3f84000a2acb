import { describe, expect, it } from '@jest/globals';
import { admit, type RequestFacts } from './guard.ts';

const OPEN = { hosts: new Set(['console.example']), authHeader: undefined, hasToken: false };

function statusOf(request: Partial<RequestFacts>, settings: Parameters<typeof admit>[1] = OPEN): number {
  const facts = { method: 'GET', headers: { host: 'localhost:16686' }, hasRightToken: false, ...request };
  const admission = admit(facts, settings);
  return admission.ok ? 200 : admission.refusal.status;
}

describe('admit', () => {
  it.each([
    [{ host: 'localhost:16686' }, 200],
    [{ host: '127.0.0.1:16686' }, 200],
    [{ host: '[::1]:16686' }, 200],
    [{ host: 'console.example' }, 200],
    [{ host: 'evil.example' }, 403],
    [{ host: 'localhost.evil.example' }, 403],
    [{ host: '127.0.0.1.evil.example:80' }, 403],
    [{ host: '' }, 403],
    [{}, 200],
    [{ origin: 'https://evil.example' }, 403],
    [{ host: 'localhost', origin: 'http://localhost:16686' }, 200],
    [{ host: 'localhost', origin: 'https://evil.example' }, 403],
    [{ host: 'localhost', origin: 'null' }, 403],
  ])('answers %j with %i', (headers, status) => {
    expect(statusOf({ headers })).toBe(status);
  });

  it('asks for the token where there is one', () => {
    const settings = { ...OPEN, hasToken: true };
    expect(statusOf({}, settings)).toBe(401);
    expect(statusOf({ hasRightToken: true }, settings)).toBe(200);
  });

  it('takes the name that a proxy gives, and nobody without one', () => {
    const settings = { ...OPEN, authHeader: 'x-user' };
    expect(statusOf({}, settings)).toBe(401);
    const headers = { host: 'localhost', 'x-user': 'ada' };
    expect(admit({ method: 'GET', headers, hasRightToken: false }, settings)).toEqual({ ok: true, user: 'ada' });
  });
});
