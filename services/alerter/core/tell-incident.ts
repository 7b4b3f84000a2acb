import type { Cause, Incident } from '../../../lib/codec/incident-records.ts';

/** The incident in a few plain sentences: what broke, since when, who is hit, what it looks like, who noticed. */
export function tellIncident(incident: Incident): string {
  const parts = [
    whatBroke(incident),
    whoIsHit(incident),
    howItTravels(incident),
    whatItSays(incident),
    whoNoticed(incident),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** "the database orders-db", "service orders", "the way from orders to billing". */
export function nameCause(cause: Cause): string {
  if (cause.kind === 'edge') return `the way from ${cause.caller} to ${cause.service}`;
  if (cause.kind === 'service') return `service ${cause.service}`;
  const kind = PEER_NAMES[cause.peerKind] ?? 'peer';
  return kind === cause.service ? `the ${kind}` : `the ${kind} ${cause.service}`;
}

const PEER_NAMES: Readonly<Record<string, string>> = {
  database: 'database',
  cache: 'cache',
  queue: 'message queue',
  external: 'external service',
};

const LISTED_MAX = 3;

function whatBroke(incident: Incident): string {
  const { cause, state, openedAt, firstErrorAt, lastErrorAt, flaps, mergedInto, severity } = incident;
  const what = capitalised(nameCause(cause));
  if (mergedInto !== '') return `${what} turned out to be part of incident ${mergedInto}.`;
  const isLate = cause.class === 'timeout_latency';
  const where = cause.operation === '' ? '' : ` on ${cause.operation}`;
  const again = flaps > 0 ? ' again' : '';
  const since = clock(lastErrorAt === null ? openedAt : firstErrorAt);
  const fails = `${what} ${isLate ? 'answers too late' : 'fails'}${again}${where} since ${since}`;
  const failed = `${what} ${isLate ? 'answered too late' : 'failed'}${again}${where} from ${since}`;
  if (state === 'resolved') return `${failed}${lastErrorAt === null ? '' : ` to ${clock(lastErrorAt)}`}; it is over.`;
  if (state === 'stale') return `${failed}; there is no traffic any more to tell whether it still does.`;
  if (state === 'expired') return `${fails}, for so long that it now counts as normal.`;
  return `${fails}${severity === 'warning' ? ', so far without harm to users' : ''}.`;
}

function whoIsHit({ blast }: Incident): string {
  const { affectedRequests, maskedRequests, entryOperations } = blast;
  if (affectedRequests === 0) {
    return maskedRequests === 0 ? '' : `${plural(maskedRequests, 'request')} met the error and succeeded all the same.`;
  }
  const hit = entryOperations.filter(({ affected }) => affected > 0);
  const listed = hit
    .slice(0, LISTED_MAX)
    .map(
      ({ service, operation, affected, total }) =>
        `${service} ${operation} (${affected} of ${total}, ${percent(affected, total)})`,
    );
  const more = hit.length > LISTED_MAX ? ` and ${plural(hit.length - LISTED_MAX, 'more entry operation')}` : '';
  const masked = maskedRequests === 0 ? '' : ` ${maskedRequests} more met the error and succeeded all the same.`;
  return `${plural(affectedRequests, 'request')} failed: ${listed.join(', ')}${more}.${masked}`;
}

function howItTravels({ propagationPath }: Incident): string {
  return propagationPath.length < 2 ? '' : `The error travels ${[...propagationPath].reverse().join(' → ')}.`;
}

function whatItSays({ errorSignatures, cause }: Incident): string {
  const first = errorSignatures[0];
  if (first !== undefined) return `Mostly it says "${first.signature}".`;
  return cause.class === 'walk' ? 'No failing trace was at hand; the cause was found along the failing edges.' : '';
}

function whoNoticed({ trigger }: Incident): string {
  if (trigger.kind === 'entry') return `Alerted: ${trigger.server} ${trigger.operation}.`;
  return trigger.kind === 'service'
    ? `Alerted: service ${trigger.server}.`
    : `Alerted: calls from ${trigger.client} to ${trigger.server}.`;
}

function clock(micros: number): string {
  return `${new Date(micros / 1000).toISOString().slice(11, 19)} UTC`;
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.round(Math.min(1, part / whole) * 100)} %` : 'share unknown';
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
