import { describe, expect, it } from '@jest/globals';
import { fileProblems, importProblems, purityProblems } from './rules.ts';

const source = (file: string, text: string) => ({ file, text });

describe('the rules notice', () => {
  it.each([
    ['a service that imports another', 'services/a/main.ts', "import { x } from '../b/core/x.ts';"],
    ['a core that imports its adapter', 'services/a/core/x.ts', "import { y } from '../adapters/y.ts';"],
    ['a core that reads files', 'services/a/core/x.ts', "import { readFileSync } from 'node:fs';"],
    [
      'a core that talks to Kafka',
      'services/a/core/x.ts',
      "import { createKafka } from '../../../lib/kafka/client.ts';",
    ],
    ['a library that imports a service', 'lib/kafka/x.ts', "import { y } from '../../services/a/core/y.ts';"],
    ['shipped code that imports a test', 'cli/x.ts', "import { y } from '../test/support/y.ts';"],
  ])('%s', (_, file, text) => {
    expect(importProblems(source(file, text))).toHaveLength(1);
  });

  it.each(['Date.now()', 'Math.random()', 'setTimeout(() => {}, 1)', 'performance.now()', 'process.env'])(
    '%s in a core',
    (use) => {
      expect(purityProblems(source('services/a/core/x.ts', `const x = ${use};`))).toHaveLength(1);
      expect(purityProblems(source('services/a/adapters/x.ts', `const x = ${use};`))).toEqual([]);
      expect(purityProblems(source('lib/trace/x.ts', `// never ${use}\nconst x = 1;`))).toEqual([]);
    },
  );

  it.each([
    ['a name that is not lower case with dashes', 'lib/trace/OtlpScan.ts', ''],
    ['a file that is too long', 'lib/trace/x.ts', '\n'.repeat(700)],
    ['something left to do', 'lib/trace/x.ts', `// ${'TO'}${'DO'}: later`],
    ['an absolute path', 'lib/trace/x.ts', `const x = '/${'home'}/me/x';`],
  ])('%s', (_, file, text) => {
    expect(fileProblems(source(file, text))).toHaveLength(1);
  });
});
