import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { byteSize, count, duration, plural } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';
import { FILE_FORMATS } from '../produce/detect-format.ts';
import { MessageSender } from '../produce/message-sender.ts';
import { splitMessages } from '../produce/split-messages.ts';
import { ProgressBar } from '../progress-bar.ts';
import { stopSignal } from '../stop-signal.ts';

const STANDARD_INPUT = '-';
const TOPIC_DEFAULT = 'otlp_spans';

export const command = defineCommand({
  name: 'produce',
  summary: 'Sends files of OTLP traces to Kafka.',
  positionals: 'FILE…',
  positionalsMin: 1,
  positionalsMax: Number.POSITIVE_INFINITY,
  options: {
    topic: { type: 'string', value: 'NAME', description: `Default: ${TOPIC_DEFAULT}.` },
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
    format: {
      type: 'string',
      value: 'FORMAT',
      description: `${FILE_FORMATS.join(', ')}. Default: told by the first bytes.`,
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      description: 'text (default), or json: totals as one line.',
    },
  },
  details: `A file holds OTLP ExportTraceServiceRequest messages: one as protobuf or JSON, several as protobuf each with
its length before it (uint32 big-endian), or one JSON object per line. - is standard input. Messages are sent as they
are, unchecked, and are in Kafka on all in-sync replicas when the command ends with 0.`,
  examples: [
    'spanloom produce examples/first-trace.json',
    'spanloom produce --topic otlp_spans --bootstrap 127.0.0.1:9092 spans-*.bin',
    'spanloom tail traces -o json --from-beginning --exit-at-end | spanloom produce --topic otlp_spans_copy -',
  ],
  async run(values, files, io) {
    const topic = values.topic ?? TOPIC_DEFAULT;
    const format = values.format === undefined ? undefined : oneOf(values.format, '--format', FILE_FORMATS);
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const signal = stopSignal();
    const bytesTotal = await totalBytes(files);
    const startedAtMs = performance.now();
    const progress = new ProgressBar(io);
    const { kafka } = connectKafka(io.env, values.bootstrap);
    const sender = await MessageSender.connect(kafka, topic);
    try {
      for (const file of files) {
        const chunks = file === STANDARD_INPUT ? process.stdin : createReadStream(file);
        for await (const message of splitMessages(chunks, file === STANDARD_INPUT ? 'Standard input' : file, format)) {
          await sender.add(message);
          const ratio = bytesTotal === undefined ? undefined : sender.bytes / bytesTotal;
          progress.update(ratio, `${plural(sender.messages, 'message')}, ${byteSize(sender.bytes)}`);
          if (signal.aborted) break;
        }
        if (signal.aborted) break;
      }
      await sender.flush();
    } finally {
      progress.clear();
      await sender.close();
    }
    const { messages, bytes } = sender;
    const tookMs = performance.now() - startedAtMs;
    if (asJson) io.out(JSON.stringify({ topic, messages, bytes, seconds: Math.round(tookMs) / 1000 }));
    else {
      const rate = count((messages * 1000) / tookMs);
      const size = byteSize(bytes);
      io.say(`${plural(messages, 'message')} (${size}) sent to ${topic} in ${duration(tookMs)}, ${rate} per second.`);
    }
    if (signal.aborted) io.say('Stopped before the end of the input.');
    return signal.aborted ? EXIT.failed : EXIT.ok;
  },
});

/** Proves that every file can be read; the total is for the progress bar, undefined with standard input among them. */
async function totalBytes(files: readonly string[]): Promise<number | undefined> {
  let total = 0;
  for (const file of files.filter((name) => name !== STANDARD_INPUT)) {
    try {
      const found = await stat(file);
      await access(file, constants.R_OK);
      if (found.isDirectory()) throw new Error('it is a folder');
      total += found.size;
    } catch (cause) {
      throw new SpanloomError('PRODUCE_INPUT', `Cannot read ${file}`, { cause });
    }
  }
  return files.includes(STANDARD_INPUT) ? undefined : total;
}
