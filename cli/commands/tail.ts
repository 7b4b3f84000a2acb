import { colours } from '../colours.ts';
import { defineCommand, oneOf, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { connectKafka } from '../kafka/connect.ts';
import { openTopic } from '../kafka/open-topic.ts';
import { tailTopic } from '../kafka/tail-topic.ts';
import { stopSignal } from '../stop-signal.ts';
import { TAILED_NAMES, TAILED_TOPICS } from '../tail/topics.ts';

export const command = defineCommand({
  name: 'tail',
  summary: 'Prints traces, service edges, incidents or dead letters as they are written.',
  positionals: TAILED_NAMES.join('|'),
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      description: 'text (default) or json: one object per line.',
    },
    'from-beginning': { type: 'boolean', description: 'Begins with the oldest record kept, not with the next one.' },
    'exit-at-end': { type: 'boolean', description: 'Stops where the topic ended when the command began.' },
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
  },
  details: `Reads committed records of all partitions, without a consumer group.
With -o json a trace carries its spans as OTLP/JSON (resourceSpans), so a line can be given to any OTLP tool.`,
  examples: [
    'spanloom tail traces',
    "spanloom tail traces -o json --from-beginning --exit-at-end | jq 'select(.errorCount > 0) | .traceId'",
    'spanloom tail incidents --from-beginning --bootstrap 127.0.0.1:9092',
  ],
  async run(values, [name], io) {
    const tailed = TAILED_TOPICS.find((topic) => topic.name === name);
    if (tailed === undefined) {
      throw new UsageError(`'tail' shows ${TAILED_NAMES.join(', ')}, not '${name}'.`, 'tail');
    }
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const { kafka, topics } = connectKafka(io.env, values.bootstrap);
    const { logs, close } = await openTopic(kafka, topics[tailed.topic]);
    const paint = colours(io.colour);
    try {
      await tailTopic({
        logs,
        from: values['from-beginning'] ? 'start' : 'end',
        untilEnd: values['exit-at-end'],
        signal: stopSignal(),
        onRecord: (record) => {
          // A record without a value is a compacted topic's deletion.
          if (record.value === null) return;
          const text = asJson ? tailed.json(record.value) : tailed.human(record.value, paint, io.columns());
          return written(io.stdout, `${text}\n`);
        },
        onGap: (partition, from, to) => io.say(`Partition ${partition}: offsets ${from} to ${to} are gone.`),
      });
    } finally {
      await close();
    }
    return EXIT.ok;
  },
});

/** Waits when the reader is slow: a pipe must not make this process hold the topic in memory. */
function written(stream: NodeJS.WritableStream, text: string): Promise<void> | undefined {
  if (stream.write(text)) return undefined;
  return new Promise((resolve) => stream.once('drain', resolve));
}
