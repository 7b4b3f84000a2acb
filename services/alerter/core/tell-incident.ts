import type { Cause, Incident } from '../../../lib/codec/incident-records.ts';

/** The incident in a few plain sentences: what broke, since when, who is hit, what it looks like, who noticed. */
export function tellIncident(incident: Incident): string {
  const parts = [
    whatBroke(incident),
    whoIsHit(incident),
    howItTravels(incident),
    whatItSays(incident),
    whatChanged(incident),
    whoOwns(incident),
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
  const { cause, state, openedAt, firstErrorAt, lastErrorAt, flaps, mergedInto, severity, kind } = incident;
  const what = capitalised(nameCause(cause));
  if (mergedInto !== '') return `${what} turned out to be part of incident ${mergedInto}.`;
  const [does, did] =
    kind === 'latency'
      ? ['is slow', 'was slow']
      : cause.class === 'timeout_latency'
        ? ['answers too late', 'answered too late']
        : ['fails', 'failed'];
  const where = cause.operation === '' ? '' : ` on ${cause.operation}`;
  const again = flaps > 0 ? ' again' : '';
  const since = clock(lastErrorAt === null ? openedAt : firstErrorAt);
  const fails = `${what} ${does}${again}${where} since ${since}`;
  const failed = `${what} ${did}${again}${where} from ${since}`;
  if (state === 'resolved') return `${failed}${lastErrorAt === null ? '' : ` to ${clock(lastErrorAt)}`}; it is over.`;
  if (state === 'stale') return `${failed}; there is no traffic any more to tell whether it still does.`;
  if (state === 'expired') return `${fails}, for so long that it now counts as normal.`;
  return `${fails}${severity === 'warning' ? ', so far without harm to users' : ''}.`;
}

function whoIsHit({ blast, kind }: Incident): string {
  const { affectedRequests, maskedRequests } = blast;
  if (affectedRequests === 0) {
    return maskedRequests === 0 ? '' : `${plural(maskedRequests, 'request')} met the error and succeeded all the same.`;
  }
  if (kind === 'latency') return `${plural(affectedRequests, 'request')} took longer than usual: ${listHit(blast)}.`;
  const masked = maskedRequests === 0 ? '' : ` ${maskedRequests} more met the error and succeeded all the same.`;
  return `${plural(affectedRequests, 'request')} failed: ${listHit(blast)}.${masked}`;
}

function listHit({ entryOperations }: Incident['blast']): string {
  const hit = entryOperations.filter(({ affected }) => affected > 0);
  const listed = hit
    .slice(0, LISTED_MAX)
    .map(
      ({ service, operation, affected, total }) =>
        `${service} ${operation} (${affected} of ${total}, ${percent(affected, total)})`,
    );
  const more = hit.length > LISTED_MAX ? ` and ${plural(hit.length - LISTED_MAX, 'more entry operation')}` : '';
  return `${listed.join(', ')}${more}`;
}

function howItTravels({ propagationPath, kind }: Incident): string {
  if (propagationPath.length < 2) return '';
  return `The ${kind === 'latency' ? 'delay' : 'error'} travels ${[...propagationPath].reverse().join(' → ')}.`;
}

function whatItSays({ errorSignatures, cause, kind, detector }: Incident): string {
  if (kind === 'latency' && detector.signal === 'latency') {
    const { errors, calls, baselineRate, slowerThanMicros } = detector;
    const usually = percent(baselineRate, 1);
    return `When it was noticed, ${percent(errors, calls)} took longer than ${duration(slowerThanMicros)}; usually ${usually} do.`;
  }
  const first = errorSignatures[0];
  if (first !== undefined) return `Mostly it says "${first.signature}".`;
  return cause.class === 'walk' ? 'No failing trace was at hand; the cause was found along the failing edges.' : '';
}

/** Of the cause first: what else was new is told where there is room. */
function whatChanged({ changes, cause, firstErrorAt }: Incident): string {
  const change = changes.find(({ service }) => service === cause.service) ?? changes[0];
  if (change === undefined) return '';
  const seconds = Math.round((firstErrorAt - change.firstSeen) / 1_000_000);
  const before =
    seconds <= 10 ? 'at that time' : `${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} before`;
  return `Version ${change.version} of ${change.service} was first seen ${before}.`;
}

function whoOwns({ ownerTeam, hitTeams }: Incident): string {
  const owner = ownerTeam === '' ? '' : `${ownerTeam} owns the cause`;
  const hit =
    hitTeams.length === 0
      ? ''
      : `${hitTeams.slice(0, LISTED_MAX).join(', ')} ${hitTeams.length === 1 ? 'is' : 'are'} hit`;
  if (owner === '' && hit === '') return '';
  return capitalised(`${[owner, hit].filter((part) => part !== '').join('; ')}.`);
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

function duration(micros: number): string {
  if (micros < 10_000) return `${(micros / 1000).toFixed(1)} ms`;
  return micros < 1_000_000 ? `${Math.round(micros / 1000)} ms` : `${(micros / 1_000_000).toFixed(1)} s`;
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
