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

const isSimulation = '<rootDir>/test/simulation/';
const isStackTest = ['\\.integration\\.test\\.ts$', '<rootDir>/test/(integration|e2e|faults)/'];
const isBrowserTest = '<rootDir>/test/browser/';

export default {
  // For what hangs, not for what is slow: two workers on a busy machine take several times as long.
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/scripts/setup/count-reporter.js'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', isSimulation, isBrowserTest, ...isStackTest],
    },
    {
      ...shared,
      displayName: 'simulation',
      testMatch: ['<rootDir>/test/simulation/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'browser',
      testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.integration\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'stack',
      setupFilesAfterEnv: ['<rootDir>/test/support/stack-test-setup.js'],
      testEnvironment: '<rootDir>/test/support/leak-checking-environment.js',
      testMatch: ['<rootDir>/**/*.integration.test.ts', '<rootDir>/test/{integration,e2e,faults}/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    },
  ],
};
