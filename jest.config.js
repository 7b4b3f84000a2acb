/** Tests run as ES modules under Node 24; swc strips the types, tsc checks them (npm run typecheck). */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
};

const isStackTest = ['\\.integration\\.test\\.ts$', '<rootDir>/test/(integration|e2e|faults)/'];

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', ...isStackTest],
    },
    {
      ...shared,
      displayName: 'stack',
      testEnvironment: '<rootDir>/test/support/leak-checking-environment.js',
      testMatch: ['<rootDir>/**/*.integration.test.ts', '<rootDir>/test/{integration,e2e,faults}/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    },
  ],
};
