import { colours } from '../colours.ts';
import { defineCommand, oneOf } from '../command.ts';
import type { Check } from '../doctor/check.ts';
import { checkKafka } from '../doctor/check-kafka.ts';
import { checkNode } from '../doctor/check-node.ts';
import { checkRedis } from '../doctor/check-redis.ts';
import { checkBucket } from '../doctor/check-s3.ts';
import { checkTopics } from '../doctor/check-topics.ts';
import { EXIT } from '../exit-codes.ts';

export const command = defineCommand({
  name: 'doctor',
  summary: 'Checks what Spanloom needs: Node, Kafka, its topics, Redis, and an S3 bucket with conditional puts.',
  positionals: '',
  positionalsMin: 0,
  positionalsMax: 0,
  options: {
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
    output: { type: 'string', short: 'o', value: 'FORMAT', description: 'text (default) or json.' },
  },
  details: `Addresses and credentials come from the same settings as the services' (docs/config.md). It writes one small
object to the bucket and deletes it; nothing else is changed. Exit code 1: something is not as it must be.`,
  examples: ['spanloom doctor', 'KAFKA_BROKERS=kafka-1:9092 S3_BUCKET=traces spanloom doctor -o json | jq .checks'],
  async run(values, _positionals, io) {
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const env = values.bootstrap === undefined ? io.env : { ...io.env, KAFKA_BROKERS: values.bootstrap };
    const paint = colours(io.colour);
    const checks: Check[] = [];
    for (const check of [checkNode, checkKafka, checkTopics, checkRedis, checkBucket]) {
      const done = await check(env);
      checks.push(done);
      if (asJson) continue;
      io.out(`${done.ok ? paint.green('ok  ') : paint.red('FAIL')}  ${done.name.padEnd(7)}  ${done.detail}`);
      if (done.advice !== undefined) io.out(`               ${done.advice}`);
    }
    const ok = checks.every((check) => check.ok);
    if (asJson) io.out(JSON.stringify({ ok, checks }));
    return ok ? EXIT.ok : EXIT.failed;
  },
});
