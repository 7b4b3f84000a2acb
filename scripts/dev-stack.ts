/**
 * Kafka, Redis and S3 for trying things by hand: `node scripts/dev-stack.ts [--data DIR]`. The first line on standard
 * output is JSON: {"kafka":[…],"redis":…,"s3":{…},"pids":{…}}. Runs until Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { describeError } from '../lib/errors/spanloom-error.ts';
import { startStack } from '../lib/testkit/stack/stack.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });

try {
  const stack = await startStack({
    ...(values.data === undefined ? {} : { dataDir: values.data }),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify({ ...stack.addresses, pids: stack.pids })}\n`);
  const keepAlive = setInterval(() => {}, 1 << 30);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      clearInterval(keepAlive);
      await stack.stop();
    });
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
