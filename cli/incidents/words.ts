import type { Incident, IncidentExemplar } from '../../lib/codec/incident-records.ts';
import type { Colours } from '../colours.ts';
import { describeIncident } from '../demo/view.ts';
import { count, percent } from '../format.ts';

/** One incident of a list: when, state, severity, id, and the story as one sentence. */
export function incidentLine(incident: Incident, colours: Colours): string {
  const isOver = ['resolved', 'stale', 'expired'].includes(incident.state);
  const paint = isOver ? colours.green : colours.red;
  const head = `${time(incident.openedAt)}  ${paint(incident.state.padEnd(8))}  ${incident.severity.padEnd(8)}`;
  return `${head}  ${colours.dim(incident.incidentId)}\n  ${incident.summary}`;
}

/** Everything that helps to judge one incident. */
export function incidentStory(incident: Incident, colours: Colours, columns: number): string {
  const { culprits, errorSignatures, exemplars, healthyExemplars, changes, blast } = incident;
  return [
    ...describeIncident(incident, columns, colours),
    `  Opened        ${time(incident.openedAt)}, announcement ${incident.seq} at ${time(incident.updatedAt)}`,
    ...section(
      'Could also reach the cause',
      blast.potentialServices.length === 0 ? [] : [blast.potentialServices.join(', ')],
    ),
    ...section(
      'Suspects, best first',
      culprits.map(
        ({ service, operation, class: errorClass, score, share }) =>
          `${[service, operation].filter((part) => part !== '').join(' ')}  ${errorClass}, ` +
          `score ${score.toFixed(2)}, ${percent(share)} of the failing traces`,
      ),
    ),
    ...section(
      'Errors',
      errorSignatures.map(({ signature, traces }) => `${count(traces)} × ${signature}`),
    ),
    ...section(
      'New versions before it',
      changes.map(({ service, version, firstSeen }) => `${service} ${version}, first seen ${time(firstSeen)}`),
    ),
    ...section('Teams', teams(incident)),
    ...section(incident.kind === 'latency' ? 'Slow traces' : 'Failing traces', exemplars.map(exemplar)),
    ...section('Traces that went well meanwhile', healthyExemplars.map(exemplar)),
    ...section('What the counts may lack', dataQuality(incident)),
  ].join('\n');
}

function teams({ ownerTeam, hitTeams }: Incident): string[] {
  return [
    ...(ownerTeam === '' ? [] : [`${ownerTeam} owns the cause`]),
    ...(hitTeams.length === 0 ? [] : [`hit: ${hitTeams.join(', ')}`]),
  ];
}

function exemplar({ traceId, entryService, entryOperation }: IncidentExemplar): string {
  return `${traceId}  ${entryService} ${entryOperation}`;
}

function dataQuality({ dataQuality: lacks }: Incident): string[] {
  const { incompleteTraces, orphanSpans, lateDropped, failuresDropped } = lacks;
  return [
    ...(incompleteTraces === 0
      ? []
      : [`${count(incompleteTraces)} traces lack spans: ${count(orphanSpans)} spans have a parent that never came`]),
    ...(lateDropped === 0 ? [] : [`${count(lateDropped)} deltas since the start came too late to be counted`]),
    ...(failuresDropped === 0 ? [] : [`${count(failuresDropped)} failing traces since the start were too many kinds`]),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `    ${line}`)];
}

/** @param micros epoch microseconds */
function time(micros: number): string {
  const date = new Date(micros / 1_000);
  return Number.isNaN(date.getTime()) ? 'no valid time' : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
