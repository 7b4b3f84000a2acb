import type { EdgeTruth } from '../../lib/testkit/traffic/truth.ts';
import type { Observed } from './observed.ts';

/** What was sent in a bounded run, and what of it was found in the archive. */
export interface RunToCheck {
  /** Keys of all spans sent, see `spanKey`. */
  readonly sent: ReadonlySet<string>;
  /** The generator's own count of what it did. */
  readonly edges: readonly EdgeTruth[];
  readonly observed: Observed;
  /** How often each span stands in the archive's rows. */
  readonly archived: ReadonlyMap<string, number>;
  /** Who is to blame for the errors. */
  readonly cause: string;
  /** Other runs left their spans in the topics or the bucket: spans that were not sent are no difference. */
  readonly dataKept: boolean;
}

/** One sentence for each way in which the pipeline's output differs from what was done; empty when all is right. */
export function differences(run: RunToCheck): string[] {
  return [
    ...spanDifferences('in the traces', run.sent, run.observed.spanCounts, run.dataKept),
    ...spanDifferences('in the archive', run.sent, run.archived, run.dataKept),
    ...run.observed.contradictions.slice(0, EXAMPLES_MAX),
    ...edgeDifferences(run),
    ...incidentDifferences(run),
    ...(run.observed.deadLetters.size === 0
      ? []
      : [`${run.observed.deadLetters.size} dead letters were written; every span sent was a good one.`]),
  ];
}

function spanDifferences(
  where: string,
  sent: ReadonlySet<string>,
  found: ReadonlyMap<string, number>,
  dataKept: boolean,
): string[] {
  const missing = [...sent].filter((key) => !found.has(key));
  const repeated = [...sent].filter((key) => (found.get(key) ?? 0) > 1);
  const foreign = dataKept ? [] : [...found.keys()].filter((key) => !sent.has(key));
  return [
    ...countSentence(missing, `of the ${sent.size} spans sent are missing ${where}`),
    ...countSentence(repeated, `spans stand ${where} more than once`),
    ...countSentence(foreign, `spans ${where} were never sent`),
  ];
}

function countSentence(keys: readonly string[], what: string): string[] {
  return keys.length === 0 ? [] : [`${keys.length} ${what}, for example ${keys.slice(0, EXAMPLES_MAX).join(', ')}.`];
}

function edgeDifferences({ edges, observed }: RunToCheck): string[] {
  const found = new Map(observed.edges.edges().map((edge) => [edgeName(edge), edge]));
  const sentences: string[] = [];
  for (const edge of edges) {
    const name = edgeName(edge);
    const sum = found.get(name);
    found.delete(name);
    if (sum?.calls === edge.calls && sum.errors === edge.errors) continue;
    const said = sum === undefined ? 'no such edge' : `${sum.calls} calls and ${sum.errors} errors`;
    sentences.push(`The edge ${name} had ${edge.calls} calls and ${edge.errors} errors; the graph has ${said}.`);
  }
  for (const name of found.keys()) sentences.push(`The graph has an edge ${name} that was never called.`);
  return sentences;
}

function edgeName({ client, server, connectionType }: Pick<EdgeTruth, 'client' | 'server' | 'connectionType'>): string {
  return `${client} → ${server}${connectionType === '' ? '' : ` (${connectionType})`}`;
}

function incidentDifferences({ observed, cause }: RunToCheck): string[] {
  const incidents = [...observed.incidents.values()].filter((incident) => incident.mergedInto === '');
  if (incidents.length === 0) return [`No incident was opened; ${cause} failed.`];
  const sentences: string[] = [];
  for (const incident of incidents) {
    if (incident.cause.service !== cause) {
      sentences.push(`Incident ${incident.incidentId} blames ${incident.cause.service}; it was ${cause}.`);
    } else if (incident.blast.entryOperations.length === 0) {
      sentences.push(`Incident ${incident.incidentId} names no entry operation that was hit.`);
    }
  }
  return sentences;
}

const EXAMPLES_MAX = 3;
