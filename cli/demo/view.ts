import type { Incident } from '../../lib/codec/incident-records.ts';
import type { Colours } from '../colours.ts';
import { clock, count, cut, duration, percent } from '../format.ts';
import type { EdgeSum } from './edge-tally.ts';

/** Everything that one frame of the live view shows. */
export interface Frame {
  readonly elapsedMs: number;
  readonly requestsPerSecond: number;
  readonly tracesPerSecond: number;
  readonly spansIn: number;
  readonly traces: number;
  readonly completeTraces: number;
  /** Milliseconds until the database is back; undefined while it works. */
  readonly outageLeftMs: number | undefined;
  /** Milliseconds until the database fails over; undefined when that is over or not planned. */
  readonly outageInMs: number | undefined;
  readonly edges: readonly EdgeSum[];
  readonly incidents: readonly Incident[];
  /** What is worth saying about the processes, e.g. a restart. */
  readonly notes: readonly string[];
}

/** The frame as lines, none longer than `columns` when printed. */
export function renderFrame(frame: Frame, columns: number, colours: Colours): string[] {
  const width = Math.max(COLUMNS_MIN, Math.min(COLUMNS_MAX, columns));
  return [
    header(frame, colours),
    '',
    `  ${colours.bold(count(frame.tracesPerSecond).padStart(5))} traces/s   ` +
      `${count(frame.traces)} traces assembled, ${count(frame.completeTraces)} complete   ` +
      colours.dim(`${count(frame.spansIn)} spans sent`),
    '',
    ...edgeTable(frame.edges, width, colours),
    '',
    ...incidentLines(frame, width, colours),
    ...frame.notes.slice(-NOTES_SHOWN).map((note) => colours.dim(`  ${cut(note, width - 2)}`)),
  ];
}

/** An incident as one would tell a colleague; used in the frame and as plain lines. */
export function describeIncident(incident: Incident, width: number, colours: Colours): string[] {
  const { cause, blast, trigger } = incident;
  const seenBy = cause.caller === '' ? '' : `, as ${cause.caller} saw it`;
  const kind = cause.peerKind === cause.service ? '' : ` (${cause.peerKind})`;
  const alerting = trigger.kind === 'edge' ? `${trigger.client} → ${trigger.server}` : trigger.server;
  const state = incident.state === 'resolved' ? colours.green('RESOLVED') : colours.red(incident.state.toUpperCase());
  const lines = [
    `${colours.bold('Incident')} ${state} ${incident.severity}  ${colours.dim(incident.incidentId)}`,
    ...wrap(incident.summary, width - 2).map((line) => `  ${line}`),
    `  Alerting      ${colours.yellow(alerting)}${trigger.operation === '' ? '' : ` ${trigger.operation}`}`,
    `  Cause         ${colours.red(cause.service)}${kind}${seenBy}`,
    `  Path          ${[...incident.propagationPath].join(' → ')}`,
    `  Blast radius  ${percent(blast.affectedShare)} of requests (${count(blast.affectedRequests)} of ` +
      `${count(blast.totalRequests)}), services ${blast.upstreamServices.join(', ')}`,
  ];
  for (const entry of blast.entryOperations.slice(0, ENTRIES_SHOWN)) {
    const name = cut(`${entry.service} ${entry.operation}`, 44).padEnd(44);
    lines.push(`    ${name} ${percent(entry.share).padStart(6)}  ${count(entry.affected)} of ${count(entry.total)}`);
  }
  const more = blast.entryOperations.length - ENTRIES_SHOWN;
  if (more > 0) lines.push(colours.dim(`    and ${more} more`));
  return lines;
}

export function edgeTable(edges: readonly EdgeSum[], width: number, colours: Colours): string[] {
  const nameColumns = Math.min(width - 40, Math.max(24, ...edges.map((edge) => edgeName(edge).length)));
  const heading = `  ${'edge'.padEnd(nameColumns)}${'calls'.padStart(10)}${'errors'.padStart(9)}${'p95'.padStart(19)}`;
  const rows = edges.map((edge) => {
    const errors = count(edge.errors).padStart(9);
    const share = edge.errors === 0 ? ''.padStart(9) : `(${percent(edge.errors / edge.calls)})`.padStart(9);
    return (
      `  ${cut(edgeName(edge), nameColumns).padEnd(nameColumns)}${count(edge.calls).padStart(10)}` +
      `${edge.errors === 0 ? errors : colours.red(errors)}${colours.dim(share)}` +
      (edge.p95Ms === undefined ? '' : duration(edge.p95Ms).padStart(10))
    );
  });
  return [colours.dim(heading), ...(rows.length === 0 ? [colours.dim('  (none yet)')] : rows)];
}

function header(frame: Frame, colours: Colours): string {
  const parts = [colours.bold('Spanloom demo'), clock(frame.elapsedMs), `${count(frame.requestsPerSecond)} requests/s`];
  if (frame.outageLeftMs !== undefined) {
    parts.push(colours.red(`the database is failing over, ${Math.ceil(frame.outageLeftMs / 1000)} s left`));
  } else if (frame.outageInMs !== undefined) {
    parts.push(`the database works; it fails over in ${Math.ceil(frame.outageInMs / 1000)} s`);
  } else {
    parts.push(colours.green('the database works'));
  }
  return parts.join('   ');
}

function incidentLines(frame: Frame, width: number, colours: Colours): string[] {
  const newest = [...frame.incidents].sort((a, b) => b.updatedAt - a.updatedAt)[0];
  if (newest === undefined) return [`  ${colours.green('No incident')}`];
  return describeIncident(newest, width - 2, colours).map((line) => `  ${line}`);
}

function edgeName({ client, server, connectionType }: EdgeSum): string {
  return `${client} → ${server}${connectionType === '' ? '' : ` (${connectionType})`}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

const COLUMNS_MIN = 60;
const COLUMNS_MAX = 110;
const ENTRIES_SHOWN = 6;
const NOTES_SHOWN = 2;
