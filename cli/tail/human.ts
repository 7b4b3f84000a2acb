import type { Incident } from '../../lib/codec/incident-records.ts';
import type { AssembledTrace, DeadLetter, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import type { Colours } from '../colours.ts';
import { describeIncident } from '../demo/view.ts';
import { byteSize, count, duration, plural } from '../format.ts';

export function traceLine(trace: AssembledTrace, colours: Colours): string {
  const root =
    trace.rootService === null ? colours.yellow('root not seen') : `${trace.rootService} ${trace.rootOperation ?? ''}`;
  const errors = trace.errorCount === 0 ? '' : `  ${colours.red(plural(trace.errorCount, 'error'))}`;
  const state = trace.complete ? '' : `  ${colours.yellow(trace.incompleteReasons.join(', '))}`;
  const revision = trace.revision === 1 ? '' : `  revision ${trace.revision}`;
  const durationMs = Number(trace.durationNano) / NANOS_PER_MS;
  const services = `${plural(trace.spanCount, 'span')} in ${plural(trace.services.length, 'service')}`;
  return (
    `${time(trace.startTime / MICROS_PER_MS)}  ${colours.dim(trace.traceId)}  ${root}  ${duration(durationMs)}  ` +
    `${services}${errors}${state}${revision}`
  );
}

export function edgeLine(delta: ServiceEdgeDelta, colours: Colours): string {
  const errors = delta.errors === 0 ? '' : `  ${colours.red(signed(delta.errors, 'error'))}`;
  const type = delta.connectionType === '' ? '' : ` (${delta.connectionType})`;
  const who = delta.client === '' ? delta.server : `${delta.client} → ${delta.server}${type}`;
  const what = delta.serverOperation === '' ? delta.clientOperation : delta.serverOperation;
  return (
    `${time(delta.windowStart / MICROS_PER_MS)}  ${colours.dim(delta.subject.padEnd(7))}  ${who}  ${what}  ` +
    `${signed(delta.calls, 'call')}${errors}`
  );
}

export function incidentText(incident: Incident, colours: Colours, columns: number): string {
  const when = colours.dim(`${time(incident.updatedAt / MICROS_PER_MS)}  #${incident.seq}`);
  return [when, ...describeIncident(incident, columns, colours), ''].join('\n');
}

export function deadLetterLine(letter: DeadLetter, colours: Colours): string {
  const at = `${letter.topic}/${letter.partition}@${letter.offset}${letter.index === null ? '' : `[${letter.index}]`}`;
  const size = colours.dim(`(${byteSize(letter.size)}, ${letter.encoding})`);
  return `${time(letter.time)}  ${at}  ${colours.red(letter.reason)}  ${letter.detail} ${size}`;
}

function signed(value: number, singular: string): string {
  const sign = value < 0 ? '−' : '+';
  return `${sign}${count(Math.abs(value))} ${singular}${Math.abs(value) === 1 ? '' : 's'}`;
}

/** Time of day with milliseconds, in UTC as all of Spanloom's times. */
function time(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? 'no valid time' : date.toISOString().slice(11, 23);
}

const NANOS_PER_MS = 1_000_000;
const MICROS_PER_MS = 1_000;
