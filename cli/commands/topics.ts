import { inspectTopics } from '../../lib/topics/prepare-topics.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { plural } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';

export const command = defineCommand({
  name: 'topics',
  summary: 'Creates the topics that are missing, or checks the ones that exist.',
  positionals: 'create|check',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
    output: { type: 'string', short: 'o', value: 'FORMAT', description: 'text (default) or json.' },
  },
  details: `PARTITIONS, TOPIC_REPLICATION and SPANLOOM_PREFIX say what they should be like. Existing topics are never
changed. Ingest topics belong to those who write to them and are left alone. Exit code 1: something is not as it must be.`,
  examples: [
    'PARTITIONS=12 TOPIC_REPLICATION=3 spanloom topics create --bootstrap kafka-1:9092',
    'spanloom topics check -o json | jq .problems',
  ],
  async run(values, [action], io) {
    const create = oneOf(action ?? '', "'topics'", ['create', 'check']) === 'create';
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const { kafka, settings } = connectKafka(io.env, values.bootstrap);
    const { topics, problems } = await inspectTopics(kafka, settings, { create });
    if (asJson) io.out(JSON.stringify({ ok: problems.length === 0, topics, problems }));
    else {
      for (const problem of problems) io.out(problem);
      if (problems.length === 0) io.out(`${plural(topics.length, 'topic')} as they must be: ${topics.join(', ')}`);
    }
    return problems.length === 0 ? EXIT.ok : EXIT.failed;
  },
});
