import { describe, expect, it } from '@jest/globals';
import { DEFAULT_REDACTION } from '../config.ts';
import { ACTION, REDACTION_NAME, type RedactionNames, RedactionRules } from './redaction-rules.ts';

function actionOf(names: Partial<RedactionNames>, attribute: string): string {
  const rules = new RedactionRules({ drop: [], hash: [], mask: [], keep: [], cutQuery: [], ...names });
  // Stands in the middle of other bytes, as in a request.
  const bytes = Buffer.from(`.a${attribute}.password`);
  const action = rules.actionFor(bytes, 2, 2 + Buffer.byteLength(attribute));
  return Object.entries(ACTION).find(([, value]) => value === action)![0];
}

describe('RedactionRules', () => {
  it.each([
    ['authorization', 'drop'],
    ['Authorization', 'drop'],
    ['http.request.header.authorization', 'drop'],
    ['http.request.header.proxy-authorization', 'drop'],
    ['http.request.header.proxy_authorization', 'drop'],
    ['http.request.header.cookie', 'drop'],
    ['http.response.header.set-cookie', 'drop'],
    ['HTTP.Response.Header.Set_Cookie', 'drop'],
    ['rpc.grpc.request.metadata.authorization', 'drop'],
    ['password', 'drop'],
    ['user.password', 'drop'],
    ['passwd', 'drop'],
    ['secret', 'drop'],
    ['api_key', 'drop'],
    ['api-key', 'drop'],
    ['apikey', 'drop'],
    ['apiKey', 'drop'],
    ['x-api-key', 'drop'],
    ['http.request.header.x-api-key', 'drop'],
    ['access_token', 'drop'],
    ['oauth.refresh_token', 'drop'],
    ['url.query', 'drop'],
    ['url.full', 'cutQuery'],
    ['http.url', 'cutQuery'],
    ['http.target', 'cutQuery'],
    ['http.request.header.content-type', 'keep'],
    ['authorizationx', 'keep'],
    ['xauthorization', 'keep'],
    ['password.length', 'keep'],
    ['service.name', 'keep'],
    ['', 'keep'],
    ['n', 'keep'],
    ['on', 'keep'],
    ['.cookie', 'drop'],
  ])('by default: %s → %s', (attribute, action) => {
    expect(actionOf(DEFAULT_REDACTION, attribute)).toBe(action);
  });

  it('lets the most exact entry decide', () => {
    const names = {
      drop: ['*.token', 'app.hashed.token'],
      keep: ['app.token', '*.public.token'],
      hash: ['*.user.token'],
    };
    expect(actionOf(names, 'other.token')).toBe('drop');
    expect(actionOf(names, 'token')).toBe('drop');
    expect(actionOf(names, 'app.token')).toBe('keep');
    expect(actionOf(names, 'x.public.token')).toBe('keep');
    expect(actionOf(names, 'x.user.token')).toBe('hash');
    expect(actionOf(names, 'app.hashed.token')).toBe('drop');
  });

  it('of two equal entries takes the first of keep, drop, hash, cutQuery', () => {
    expect(actionOf({ drop: ['user.id'], hash: ['user.id'] }, 'user.id')).toBe('drop');
    expect(actionOf({ drop: ['user.id'], keep: ['USER.ID'] }, 'user.id')).toBe('keep');
  });

  it('matches a whole name only from its start, an ending only after a dot', () => {
    expect(actionOf({ drop: ['db.user'] }, 'x.db.user')).toBe('keep');
    expect(actionOf({ drop: ['*.user'] }, 'dbuser')).toBe('keep');
    expect(actionOf({ drop: ['*.id'] }, 'a.id')).toBe('drop');
  });

  it('works for names beyond ASCII', () => {
    expect(actionOf({ drop: ['*.schlüssel'] }, 'app.schlüssel')).toBe('drop');
    expect(actionOf({ drop: ['*.schlüssel'] }, 'app.schlussel')).toBe('keep');
  });

  it('compares an adversarial name of 50 kB in no time', () => {
    const rules = new RedactionRules(DEFAULT_REDACTION);
    const name = Buffer.from(`${'authorization.'.repeat(3600)}uthorization`);
    const started = performance.now();
    for (let i = 0; i < 100; i++) rules.actionFor(name, 0, name.length);
    expect((performance.now() - started) / 100).toBeLessThan(5);
  });

  it.each([
    ['password', true],
    ['*.password', true],
    ['a', false],
    ['*', false],
    ['*.', false],
    ['pass*', false],
    ['*.*.password', false],
    ['two words', false],
  ])('says whether %s is a name', (entry, isName) => {
    expect(REDACTION_NAME.test(entry)).toBe(isName);
  });
});
