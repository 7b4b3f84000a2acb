import { describe, expect, it } from '@jest/globals';
import { substitute } from './substitute.ts';

const lookUp = (source: 'env' | 'file', name: string) => (name === 'missing' ? undefined : `<${source} ${name}>`);

describe('substitute', () => {
  it('replaces references anywhere in the texts, and nothing else', () => {
    const declared = {
      a: [`x\${env:KEY}y`, 1, null],
      b: { c: `\${file:/run/k}`, d: `costs $$5, \${env:A}\${env:B}, $5` },
    };
    expect(substitute(declared, lookUp)).toEqual({
      value: { a: ['x<env KEY>y', 1, null], b: { c: '<file /run/k>', d: 'costs $5, <env A><env B>, $5' } },
      mistakes: [],
    });
  });

  it.each([
    [`\${env:missing}`, 'names environment variable missing, which is not set'],
    [`\${file:missing}`, 'names file missing, which cannot be read'],
    [`\${KEY}`, `has \${KEY}; write \${env:NAME} or \${file:PATH}, or $$ for a dollar`],
  ])('says what is wrong with %s', (text, what) => {
    expect(substitute({ a: [text] }, lookUp).mistakes).toEqual([{ path: ['a', 0], what }]);
  });
});
