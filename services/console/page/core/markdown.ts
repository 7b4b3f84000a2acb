import type { Incident } from './api-types.ts';
import { count, duration, percent, plural } from './format.ts';

/** An incident as it is pasted into a chat or a ticket. Times in UTC, so that readers everywhere mean the same. */
export function incidentMarkdown(whole: Incident, link: string): string {
  const { incident } = whole;
  const sections = [
    `# ${incident.severity.toUpperCase()}: ${oneLine(incident.summary)}`,
    facts(whole, link),
    table(
      'Most likely causes',
      ['cause', 'failing traces that begin there', 'usual', 'score'],
      whole.culprits.map(({ cause, erroredTraces, expectedTraces }) => [
        causeName(cause),
        `${count(erroredTraces)} (${percent(cause.share)})`,
        expectedTraces.toFixed(1),
        cause.score.toFixed(2),
      ]),
    ),
    table(
      'Who is hit',
      ['entry operation', 'failed', 'of', 'share'],
      whole.entryOperations.map((entry) => [
        `${entry.service} ${entry.operation}`,
        count(entry.affected),
        count(entry.total),
        percent(entry.share),
      ]),
    ),
    list(
      'Errors',
      whole.errorSignatures.map(({ signature, traces }) => `${code(signature)}: ${plural(traces, 'trace')}`),
    ),
    list(
      'Timeline (UTC)',
      whole.timeline.map(({ atMs, text }) => `${utc(atMs)} ${plain(text)}`),
    ),
    list(
      'Failing traces',
      whole.failing.slice(0, 5).map(({ traceId, entryOperation }) => `${code(traceId)} ${plain(entryOperation)}`),
    ),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** What broke, in as few words as it takes. */
export function causeName({ kind, service, operation, caller }: Incident['incident']['cause']): string {
  const what = operation === '' ? service : `${service} ${operation}`;
  if (kind === 'edge') return `the way from ${caller} to ${what}`;
  return caller === '' ? what : `${what}, as ${caller} saw it`;
}

function facts({ incident, path, mergedInto }: Incident, link: string): string {
  const until = incident.resolvedMs ?? incident.updatedMs;
  const lines = [
    `- State: ${incident.state}, since ${utc(incident.openedMs)} UTC (${duration((until - incident.openedMs) * 1_000)}); detected after ${duration((incident.detectedMs - incident.openedMs) * 1_000)}`,
    `- Cause: **${plain(causeName(incident.cause))}** (${incident.cause.class})`,
    `- Path: ${path.map(plain).join(' → ')}`,
    `- Blast radius: ${count(incident.affectedRequests)} of ${count(incident.totalRequests)} requests (${percent(incident.affectedShare)}); services ${incident.services.map(plain).join(', ')}`,
    incident.teams.length === 0 ? '' : `- Teams: ${incident.teams.map(plain).join(', ')}`,
    incident.acknowledgement === null
      ? '- Nobody has acknowledged it'
      : `- Acknowledged by ${plain(incident.acknowledgement.by)} at ${utc(incident.acknowledgement.atMs)} UTC`,
    mergedInto === null ? '' : `- Merged into ${mergedInto}`,
    `- ${link}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(' | ')} |`;
  return [`## ${title}`, '', line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

function list(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : [`## ${title}`, '', ...items.map((item) => `- ${item}`)].join('\n');
}

const utc = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** Names of strangers must not become markup of the chat that they are pasted into. */
const plain = (text: string) => oneLine(text).replaceAll(/[\\`*_{}[\]<>#|!~]/g, '\\$&');
const code = (text: string) => `\`${oneLine(text).replaceAll('`', "'")}\``;
