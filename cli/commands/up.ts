import { defineCommand, wholeNumber } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { SCALE_OPTIONS, servicesToRun } from '../pipeline/scale.ts';
import { bootstrapOf, startPipeline } from '../pipeline/start-pipeline.ts';
import { stopSignal, whenAborted } from '../stop-signal.ts';
import { describeProcessEvent } from '../supervisor/describe-event.ts';

export const command = defineCommand({
  name: 'up',
  summary: 'Starts Kafka, Redis, S3 and all services, and runs until Ctrl-C.',
  positionals: '',
  positionalsMin: 0,
  positionalsMax: 0,
  options: {
    data: { type: 'string', value: 'DIR', description: 'Keeps all data there across runs. Default: temporary.' },
    ...SCALE_OPTIONS,
    topic: { type: 'string', value: 'NAME', description: 'Topic the spans come in on. Default: otlp_spans.' },
    partitions: { type: 'string', value: 'N', description: 'Partitions of each topic when they are made. Default: 4.' },
  },
  details: `Kafka, Redis and S3 come from the environment (KAFKA_BROKERS, REDIS_URL, S3_ENDPOINT) where it names them,
else from Docker, else from processes that this command starts. Once all is ready, one line of JSON on stdout says
where: {"ready":true,"kafka":…,"redis":…,"s3":{…},"collector":{door:url},"console":url,"metrics":{service:url}}. What
happens meanwhile goes to stderr. The collector takes OTLP at 4318 (HTTP) and 4317 (gRPC), Zipkin at 9411 and Jaeger at
14268, the console answers at 16686; where one of these ports is taken, a free one instead (COLLECTOR_…_PORT and
CONSOLE_PORT choose others).`,
  examples: [
    'spanloom up',
    'spanloom up --data .data --scale trace-assembler=2',
    'NOTIFY_SINKS_FILE=sinks.yaml spanloom up',
    'spanloom up --only span-router,trace-assembler | head -1 | jq -r .kafka',
  ],
  async run(values, _positionals, io) {
    const services = servicesToRun(values.only, values.scale, io.env);
    const partitions = wholeNumber(values.partitions ?? '4', '--partitions', 1, 1_000);
    const signal = stopSignal();
    const pipeline = await startPipeline({
      services,
      partitions,
      dataDir: values.data,
      prefix: io.env['SPANLOOM_PREFIX'] ?? 'spanloom',
      ingestTopic: values.topic ?? 'otlp_spans',
      env: io.env,
      settings: {},
      onProgress: (line) => io.say(line),
      onEvent: (event) => event.kind === 'exited' && io.say(describeProcessEvent(event)),
      signal,
    });
    const { addresses, supervisor } = pipeline;
    io.out(
      JSON.stringify({
        ready: true,
        kafka: bootstrapOf(addresses),
        redis: addresses.redis,
        s3: addresses.s3,
        collector: supervisor.collector,
        console: supervisor.console,
        metrics: supervisor.metrics(),
        pids: supervisor.pids(),
        prefix: pipeline.prefix,
        ingestTopic: pipeline.ingestTopic,
        logs: pipeline.logFolder,
      }),
    );
    await whenAborted(signal);
    io.say('stopping: the services drain');
    await pipeline.stop();
    return EXIT.ok;
  },
});
