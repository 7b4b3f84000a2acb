import { randomInt } from 'node:crypto';
import { colours } from '../colours.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { demoResult } from '../demo/result.ts';
import { type DemoRun, startDemoRun } from '../demo/run-demo.ts';
import { type DemoDisplay, demoDisplay } from '../demo/show.ts';
import { ENDLESS, ONCE } from '../demo/timeline.ts';
import { edgeTable } from '../demo/view.ts';
import { EXIT } from '../exit-codes.ts';
import { plural } from '../format.ts';
import type { Io } from '../io.ts';
import { SCALE_OPTIONS, servicesToRun } from '../pipeline/scale.ts';
import { bootstrapOf, type Pipeline, startPipeline } from '../pipeline/start-pipeline.ts';
import { stopSignal, whenAborted } from '../stop-signal.ts';
import { describeProcessEvent } from '../supervisor/describe-event.ts';

export const command = defineCommand({
  name: 'demo',
  summary: 'Starts everything, sends the traffic of a four-node system, and shows its database failing over.',
  positionals: '',
  positionalsMin: 0,
  positionalsMax: 0,
  options: {
    once: { type: 'boolean', description: 'Runs one failover, checks every span, edge and incident, and ends.' },
    json: { type: 'boolean', description: 'With --once: the last line on stdout is the result as JSON.' },
    data: { type: 'string', value: 'DIR', description: 'Keeps all data there across runs. Default: temporary.' },
    scale: SCALE_OPTIONS.scale,
    partitions: { type: 'string', value: 'N', description: 'Partitions of each topic. Default: 4.' },
    seed: { type: 'string', value: 'N', description: 'Makes the traffic the same again. Default: random.' },
  },
  details: `An API gateway calls a backend service, which reads and writes a database and its write-through cache. After a
while the database fails over for 20 s: some calls fail at once, others hang until the gateway gives up after 30 s.
With --once the exit code is 0 only if every span sent is in exactly one trace and in the archive exactly once, the
edges are what the system did, and the incident names the database; else it is 1, and stderr says what differs.`,
  examples: [
    'spanloom demo',
    'spanloom demo --scale trace-assembler=2',
    'spanloom demo --once --json | tail -1 | jq .',
  ],
  async run(values, _positionals, io) {
    const seed = values.seed === undefined ? randomInt(2 ** 47) : wholeNumber(values.seed, '--seed', 0, 2 ** 47);
    const partitions = wholeNumber(values.partitions ?? '4', '--partitions', 1, 1_000);
    const services = servicesToRun(undefined, values.scale, io.env);
    // Its traffic goes to Kafka itself.
    services.delete('collector');
    const signal = stopSignal();
    let display: DemoDisplay | undefined;
    const pipeline = await startPipeline({
      services,
      partitions,
      dataDir: values.data,
      ...freshNames(values.data !== undefined),
      env: io.env,
      settings: { ARCHIVE_RANGE_AGE_MAX_MS: values.once ? '5000' : '10000', SERVICE_OWNERS },
      onProgress: (line) => io.say(line),
      onEvent: (event) => {
        const line = describeProcessEvent(event);
        if (display !== undefined) display.note(line);
        else if (event.kind === 'exited') io.say(line);
      },
      signal,
    });
    try {
      introduce(pipeline, seed, io);
      const run = await startDemoRun({
        pipeline,
        timeline: values.once ? ONCE : ENDLESS,
        seed,
        dataKept: values.data !== undefined,
        signal,
      });
      display = demoDisplay(run, io, values.json);
      try {
        return values.once ? await once(run, display, values.json, signal, io) : await endless(run, display, signal);
      } finally {
        display = undefined;
        await run.close();
      }
    } finally {
      io.say('stopping: the services drain');
      await pipeline.stop();
    }
  },
});

/** The database sends no spans, so no resource of it could say whom an incident concerns. */
const SERVICE_OWNERS = 'services: {api-gateway: edge, backend-service: shop, database: storage, cache: storage}';

/**
 * Names that no other run has used, since the servers given in the environment may hold what others wrote; with a kept
 * folder the usual ones, so that the next run goes on where this one ends.
 */
function freshNames(dataKept: boolean): { prefix: string; ingestTopic: string } {
  if (dataKept) return { prefix: 'spanloom', ingestTopic: 'otlp_spans' };
  const run = randomInt(2 ** 47).toString(36);
  return { prefix: `demo-${run}`, ingestTopic: `otlp_spans_${run}` };
}

function introduce(pipeline: Pipeline, seed: number, io: Io): void {
  const kafka = bootstrapOf(pipeline.addresses);
  io.say(`spans go to ${pipeline.ingestTopic}, seed ${seed}; the services' logs are in ${pipeline.logFolder}`);
  io.say(`see it on the console: ${pipeline.supervisor.console}`);
  io.say(`look in: SPANLOOM_PREFIX=${pipeline.prefix} npx spanloom tail traces --bootstrap ${kafka}`);
}

async function endless(run: DemoRun, display: DemoDisplay, signal: AbortSignal): Promise<number> {
  const redraw = setInterval(() => display.update(), REDRAW_MS);
  try {
    while (!signal.aborted) {
      run.throwIfFailed();
      await Promise.race([whenAborted(signal), pause(WATCH_MS)]);
    }
    return EXIT.ok;
  } finally {
    clearInterval(redraw);
    display.close();
  }
}

async function once(run: DemoRun, display: DemoDisplay, asJson: boolean, signal: AbortSignal, io: Io): Promise<number> {
  const redraw = setInterval(() => display.update(), REDRAW_MS);
  let wrong: string[];
  try {
    do {
      await Promise.race([whenAborted(signal), pause(WATCH_MS)]);
      run.throwIfFailed();
      wrong = await run.differences();
    } while (wrong.length > 0 && run.elapsedMs < run.timeline.deadlineMs && !signal.aborted);
  } finally {
    clearInterval(redraw);
    display.close();
  }
  if (signal.aborted) wrong.push('The run was stopped before its end.');
  for (const sentence of wrong) io.say(sentence);
  const result = demoResult(run.spansSent, run.observed, { objects: run.archive.objects, spans: run.archive.rows });
  if (asJson) io.out(JSON.stringify(result));
  else {
    for (const line of edgeTable(run.observed.edges.edges(), io.columns(), colours(io.colour))) io.out(line);
    io.out(
      `${plural(result.spansIn, 'span')} sent, ${plural(result.tracesOut, 'trace')} out, ` +
        `${plural(result.archive.spans, 'row')} in ${plural(result.archive.objects, 'archive object')}.`,
    );
    io.out(wrong.length === 0 ? 'All of it is right.' : 'Something differs; see above.');
  }
  return wrong.length === 0 ? EXIT.ok : EXIT.failed;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const REDRAW_MS = 500;
const WATCH_MS = 1_000;
