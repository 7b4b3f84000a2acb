import { commonSettings, s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { settings as graphSettings } from '../../services/graph-builder/config.ts';
import { settings as routerSettings } from '../../services/span-router/config.ts';
import { isClean, type StageFindings, TROUBLES } from '../audit/findings.ts';
import { runAudit } from '../audit/run-audit.ts';
import { colours } from '../colours.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { count } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';

export const command = defineCommand({
  name: 'audit',
  summary: 'Proves from the logs that nothing is lost and nothing is double, from ingest to edges and archive.',
  positionals: '',
  positionalsMin: 0,
  positionalsMax: 0,
  options: {
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
    output: { type: 'string', short: 'o', value: 'FORMAT', description: 'text (default) or json.' },
  },
  details: `Routes every retained ingest record anew and compares spans byte by byte (as hashes) with what was committed;
then bundles with traces, traces with edges and with the archive's objects (with S3_BUCKET set). It needs the settings
of the span-router (REDACT_*, SPAN_BYTES_MAX, INGEST_ENCODING) and of the graph-builder. It only reads. What is not yet
due is 'open', what retention deleted is 'gap'; neither is a fault. Edges of a partition that is being written are left
out, and that is not clean: ask again when it rests. They are left out for good once retention has cut traces or edges
(after 72 hours by default), so an older pipeline is never clean as a whole: read the other stages. Memory grows with
what is retained, a few hundred bytes a span.
Exit code 0: clean. 1: something is missing, double, foreign or altered, or a stage could not be audited.`,
  examples: ['spanloom audit', 'S3_BUCKET=traces spanloom audit -o json | jq .stages'],
  async run(values, _positionals, io) {
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const env = values.bootstrap === undefined ? io.env : { ...io.env, KAFKA_BROKERS: values.bootstrap };
    const { kafka, settings, topics } = connectKafka(env, undefined);
    const closes: (() => unknown)[] = [];
    const bucket = env['S3_BUCKET']
      ? openBucket(readSettings(defineSettings({ ...commonSettings, ...s3Settings }), env), {
          onClose: (close) => closes.push(close),
        })
      : undefined;
    try {
      const stages = await runAudit({
        kafka,
        topics,
        prefix: settings.SPANLOOM_PREFIX,
        router: readSettings(routerSettings, env),
        graph: readSettings(graphSettings, env),
        bucket,
        onProgress: (sentence) => io.stderrIsTerminal && io.say(sentence),
      });
      const clean = isClean(stages);
      if (asJson) io.out(JSON.stringify({ clean, archive: bucket !== undefined, stages }));
      else {
        const paint = colours(io.colour);
        for (const stage of stages) io.out(stageText(stage, paint.green, paint.red));
        if (bucket === undefined) io.out('archive  not audited: S3_BUCKET is not set');
        io.out(clean ? 'Clean: what is due is there, once.' : 'Not clean; see above.');
      }
      return clean ? EXIT.ok : EXIT.failed;
    } finally {
      for (const close of closes) await close();
    }
  },
});

function stageText(stage: StageFindings, good: (text: string) => string, bad: (text: string) => string): string {
  const clean = isClean([stage]);
  const counts = [...TROUBLES, 'open', 'gap'] as const;
  const numbers = counts.filter((name) => stage[name] > 0).map((name) => `${count(stage[name])} ${name}`);
  const head = `${clean ? good('ok  ') : bad('FAIL')}  ${stage.stage.padEnd(8)} ${count(stage.matched)} ${stage.unit}`;
  const lines = [[head, ...numbers].join(', ')];
  if (stage.skipped !== null) lines.push(`      not audited: ${stage.skipped}`);
  for (const { kind, at, detail } of stage.examples) lines.push(`      ${kind}  ${at}  ${detail}`);
  return lines.join('\n');
}
