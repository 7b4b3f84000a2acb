import { runCli } from '../../../cli/cli.ts';
import { processIo } from '../../../cli/io.ts';
import type { AuditResult } from '../../support/audited-pipeline.ts';
import type { FaultPipeline } from './fault-pipeline.ts';
import { endsOf, PARTITIONS } from './positions.ts';
import { sleep, waitUntil } from './wait-until.ts';

/**
 * Audits until everything is through every stage, and answers with that audit, clean or not.
 * @param expected what the audit of the bundles must have matched.
 * @throws with the last audit when it does not come in time.
 */
export async function settle(pipeline: FaultPipeline, expected: number, withinMs = 300_000): Promise<AuditResult> {
  let last: AuditResult | undefined;
  try {
    return await waitUntil(
      'an audit with everything through',
      async () => {
        await untilQuiet(pipeline);
        last = await audit(pipeline);
        return isThrough(last, expected) && last;
      },
      withinMs,
    );
  } catch (error) {
    throw new Error(`${String(error)}; the last was ${JSON.stringify(last)}`);
  }
}

function isThrough({ stages }: AuditResult, expected: number): boolean {
  const matched = stages.find(({ stage }) => stage === 'bundles')?.matched ?? 0;
  const isOver = stages.every((stage) => stage.matched > 0 && stage.open <= OPEN_MAX && stage.skipped === null);
  return stages.length === STAGES && matched >= expected && isOver;
}

/** `spanloom audit`, in this process: one of its own takes longer to start than the audit itself. */
async function audit({ env, judgedFromMs }: FaultPipeline): Promise<AuditResult> {
  const out: string[] = [];
  const said: string[] = [];
  const io = {
    ...processIo(),
    env,
    out: (text: string) => out.push(text),
    say: (text: string) => said.push(text),
  };
  const from = judgedFromMs === undefined ? [] : ['--from', new Date(judgedFromMs).toISOString()];
  const code = await runCli(['audit', '-o', 'json', ...from], io);
  if (out.length === 0) throw new Error(said.join('\n'));
  return { code, ...(JSON.parse(out.at(-1) as string) as Omit<AuditResult, 'code'>) };
}

/** Nothing new in any topic for a while, or not soon: an audit reads everything, so none is begun in vain. */
async function untilQuiet(pipeline: FaultPipeline): Promise<void> {
  const { spans, traces, serviceEdges } = pipeline.topics;
  const written = async () => {
    const topics = [pipeline.ingestTopic, spans, traces, serviceEdges];
    return (await Promise.all(topics.map((topic) => endsOf(pipeline, topic)))).flat().join();
  };
  const deadline = performance.now() + QUIET_WAIT_MS_MAX;
  let [last, sinceMs] = [await written(), performance.now()];
  while (performance.now() - sinceMs < QUIET_MS && performance.now() < deadline) {
    await sleep(200);
    const now = await written();
    if (now !== last) [last, sinceMs] = [now, performance.now()];
  }
}

/** Bundles, traces, edges, archive. */
const STAGES = 4;
/** Markers of the last transactions stand at the end of each partition, and count as open. */
const OPEN_MAX = PARTITIONS * 3;
/** Longer than a window without a root stays open. */
const QUIET_MS = 2_500;
const QUIET_WAIT_MS_MAX = 30_000;
