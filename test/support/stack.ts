import { kafkaFromEnvironment, redisFromEnvironment, s3FromEnvironment } from '../../lib/testkit/stack/environment.ts';
import { BUCKET_DEFAULT, type StackAddresses } from '../../lib/testkit/stack/types.ts';

/** The servers of this test run: one stack for all test files, so names must not meet (see uniquePrefix). */
export function testStack(env: NodeJS.ProcessEnv = process.env): StackAddresses {
  if (!env['SPANLOOM_TEST_STACK']) {
    throw new Error(
      "This test needs the test run's Kafka, Redis and S3: run it with `npm test -- PATH`. To use jest directly, start " +
        '`node scripts/run.js script scripts/dev-stack.ts` and set what it prints under `environment`.',
    );
  }
  return {
    kafka: kafkaFromEnvironment(env),
    redis: redisFromEnvironment(env),
    s3: s3FromEnvironment(env, env['S3_BUCKET'] || BUCKET_DEFAULT),
  };
}

/**
 * A value for SPANLOOM_PREFIX that no other test uses: it heads topics, groups, transactional ids, Redis keys and S3
 * keys. Starts with `test-`, which is what helpers that delete things insist on.
 */
export function uniquePrefix(name: string): string {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new Error(`'${name}' is no prefix: lower case, digits and dashes only`);
  return `test-${name}-${runId}-${counter++}`;
}

const runId = `${process.pid.toString(36)}${Date.now().toString(36)}`;
let counter = 0;
