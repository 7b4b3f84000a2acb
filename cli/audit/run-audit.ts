import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import { openTopic } from '../kafka/open-topic.ts';
import { auditArchive } from './audit-archive.ts';
import { auditBundles } from './audit-bundles.ts';
import { auditEdges } from './audit-edges.ts';
import { auditTraces } from './audit-traces.ts';
import type { AuditOptions, StageContext, StageResult } from './context.ts';
import { EVERYTHING, type Extents, type StageName } from './extent.ts';
import type { StageFindings } from './findings.ts';

export interface AuditResult {
  readonly stages: readonly StageFindings[];
  /** What the next round begins with. */
  readonly next: Extents;
}

/**
 * Reads what is retained, or the part that the extents name, and says whether it tiles. Each stage reads its ledgers
 * first, which fixes what is due, and its outputs to an end taken after that, so what was committed meanwhile is left out
 * of account, not held against anyone.
 */
export async function runAudit(options: AuditOptions): Promise<AuditResult> {
  const opened = new Map<string, Promise<{ logs: readonly TimedLog[]; close(): Promise<void> }>>();
  const open = async (topic: string) => {
    const known = opened.get(topic) ?? openTopic(options.kafka, topic);
    opened.set(topic, known);
    return (await known).logs;
  };
  const stages: StageFindings[] = [];
  const next: Record<StageName, Extents[StageName]> = { ...(options.extents ?? NOTHING_KNOWN) };
  const run = async (stage: StageName, doing: string, audit: (context: StageContext) => Promise<StageResult>) => {
    options.onProgress(doing);
    const result = await audit({ ...options, extent: options.extents?.[stage] ?? EVERYTHING, open });
    stages.push(result.findings);
    next[stage] = result.next;
  };
  try {
    await run('bundles', 'ingest records against bundles', auditBundles);
    await run('traces', 'bundles against traces', auditTraces);
    await run('edges', 'traces against edges', auditEdges);
    const { bucket } = options;
    if (bucket !== undefined) {
      await run('archive', 'traces against the archive', (context) => auditArchive(context, bucket));
    }
    return { stages, next };
  } finally {
    for (const topic of opened.values()) await (await topic.catch(() => undefined))?.close();
  }
}

const NOTHING_KNOWN: Extents = { bundles: EVERYTHING, traces: EVERYTHING, edges: EVERYTHING, archive: EVERYTHING };
