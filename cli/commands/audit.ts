import { commonSettings, s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { settings as graphSettings } from '../../services/graph-builder/config.ts';
import { settings as routerSettings } from '../../services/span-router/config.ts';
import { extentsBetween } from '../audit/extents-between.ts';
import { isClean, type StageFindings, TROUBLES } from '../audit/findings.ts';
import { type AuditSources, followService } from '../audit/follow.ts';
import { runAudit } from '../audit/run-audit.ts';
import { colours } from '../colours.ts';
import { defineCommand, oneOf, UsageError, wholeNumber } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { count } from '../format.ts';
import { parseSince } from '../incidents/parse-since.ts';
import { connectKafka } from '../kafka/connect.ts';

export const command = defineCommand({
  name: 'audit',
  summary: 'Proves from the logs that nothing is lost and nothing is double, from ingest to edges and archive.',
  positionals: '',
  positionalsMin: 0,
  positionalsMax: 0,
  options: {
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
    from: { type: 'string', value: 'TIME', description: 'Only what was appended since: 30m, 2h, 7d or an ISO time.' },
    to: { type: 'string', value: 'TIME', description: 'Only what was appended before.' },
    'keys-max': { type: 'string', value: 'N', description: 'Keys held at once, 100 bytes each. Default: 5000000.' },
    follow: {
      type: 'boolean',
      description: 'Runs on as a service that judges what becomes due, and tells it as metrics.',
    },
    output: { type: 'string', short: 'o', value: 'FORMAT', description: 'text (default) or json.' },
  },
  details: `Routes every retained ingest record anew and compares spans byte by byte (as hashes) with what was committed;
then bundles with traces, traces with edges and with the archive's objects (with S3_BUCKET set). It needs the settings
of the span-router (REDACT_*, SPAN_BYTES_MAX, INGEST_ENCODING) and of the graph-builder. It only reads. What is not yet
due is 'open', what retention deleted is 'gap'; neither is a fault. Memory has a bound, --keys-max: what needs more is
read in several passes. INGEST_TOPICS names ingest topics that no router has begun with; their spans are open, too.
With --follow settings come from the environment (AUDIT_*, docs/config.md), and /metrics answers on METRICS_PORT.
Exit code 0: clean. 1: something is missing, double, foreign or altered, or a stage could not be audited.`,
  examples: [
    'spanloom audit',
    'S3_BUCKET=traces spanloom audit -o json | jq .stages',
    'spanloom audit --from 2h --to 1h',
    'METRICS_PORT=9470 spanloom audit --follow',
  ],
  async run(values, _positionals, io) {
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const env = values.bootstrap === undefined ? io.env : { ...io.env, KAFKA_BROKERS: values.bootstrap };
    if (values.follow) {
      if (values.from !== undefined || values.to !== undefined) {
        throw new UsageError('--follow takes no --from and --to; AUDIT_LOOKBACK_MS says where it begins.', 'audit');
      }
      if (values.bootstrap !== undefined) process.env['KAFKA_BROKERS'] = values.bootstrap;
      return runService(followService(() => sourcesOf(env)));
    }
    const now = Date.now();
    const fromMs = timeOf(values.from, '--from', now);
    const toMs = timeOf(values.to, '--to', now);
    const keysMax = wholeNumber(values['keys-max'] ?? '5000000', '--keys-max', 1_000, 1_000_000_000);
    const { close, ...sources } = sourcesOf(env);
    try {
      const options = { ...sources, keysMax, onProgress: (line: string) => io.stderrIsTerminal && io.say(line) };
      const isPart = fromMs !== undefined || toMs !== undefined;
      const { stages } = await runAudit(
        isPart ? { ...options, extents: await extentsBetween(options, fromMs, toMs) } : options,
      );
      const clean = isClean(stages);
      const { bucket } = sources;
      if (asJson) io.out(JSON.stringify({ clean, archive: bucket !== undefined, stages }));
      else {
        const paint = colours(io.colour);
        for (const stage of stages) io.out(stageText(stage, paint.green, paint.red));
        if (bucket === undefined) io.out('archive  not audited: S3_BUCKET is not set');
        io.out(clean ? 'Clean: what is due is there, once.' : 'Not clean; see above.');
      }
      return clean ? EXIT.ok : EXIT.failed;
    } finally {
      await close();
    }
  },
});

function sourcesOf(env: Readonly<Record<string, string | undefined>>): AuditSources {
  const { kafka, settings, topics } = connectKafka(env, undefined);
  const closes: (() => unknown)[] = [];
  const bucket = env['S3_BUCKET']
    ? openBucket(readSettings(defineSettings({ ...commonSettings, ...s3Settings }), env), {
        onClose: (close) => closes.push(close),
      })
    : undefined;
  const router = readSettings(routerSettings, env);
  return {
    kafka,
    topics,
    prefix: settings.SPANLOOM_PREFIX,
    router,
    // The default is a topic that need not be this pipeline's.
    ingestTopics: env['INGEST_TOPICS'] ? router.INGEST_TOPICS : [],
    graph: readSettings(graphSettings, env),
    bucket,
    close: async () => {
      for (const close of closes) await close();
    },
  };
}

function timeOf(text: string | undefined, name: string, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseSince(text, nowMs);
  if (ms === undefined) {
    throw new UsageError(`${name} must be like 30m, 2h, 7d or 2026-01-31T07:00:00Z, not '${text}'.`, 'audit');
  }
  return ms;
}

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
