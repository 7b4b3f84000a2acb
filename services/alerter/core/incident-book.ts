import type { AlertState, Incident, IncidentState, Signal } from '../../../lib/codec/incident-records.ts';
import { announce, blankRecord, closingState, hasNews, incidentId } from './announce.ts';
import { areOneFault, type CulpritOnPath, FOLLOWED } from './choose-cause.ts';
import { candidatesFor, examineIncident } from './examine-incident.ts';
import { foldEvidence } from './fold-evidence.ts';
import { alertKey, type IncidentInMemory, isInstrumented, nothingFolded, tableOf, type World } from './incident.ts';
import { failuresSince } from './next-hop.ts';
import { type Candidate, causeKey, NO_SERVER } from './rank-culprits.ts';
import { restoreIncident, saveIncident } from './save-incident.ts';

/** A detector that has just fired. */
export interface NewAlert {
  readonly alert: AlertState;
  /** Window in which the rise most likely began. */
  readonly onset: number;
}

/**
 * Gathers alerts into incidents and leads each through its life: pending, open, updated, then resolved, stale or
 * expired, perhaps reopened. Alerts join one incident when their failing traces have the same cause, or when one's
 * cause lies on the failing paths to the other's and they fired within two minutes.
 */
export class IncidentBook {
  nextLocalId = 1;
  private readonly world: World;
  private readonly incidents = new Map<number, IncidentInMemory>();
  private readonly removed = new Set<number>();

  constructor(world: World) {
    this.world = world;
  }

  /** Pending and open ones. */
  get active(): number {
    let count = 0;
    for (const { phase } of this.incidents.values()) if (phase !== 'closed') count++;
    return count;
  }

  gather({ alert, onset }: NewAlert, nowMs: number): void {
    const from = onset - WINDOWS_BEFORE_ONSET;
    const best = candidatesFor([alert], failuresSince(from, undefined, this.world), from, this.world)[0];
    const home = this.homeFor(alert, best, nowMs);
    if (home === undefined) {
      this.start(alert, from, nowMs);
      return;
    }
    if (home.phase === 'closed') reopen(home, from, nowMs);
    else widenScope(home, from);
    addAlert(home, alert);
    this.examine(home);
  }

  /** The alert of this detector, if it is open, is over. */
  closeAlert(signal: Signal, detectorKey: string, how: 'resolved' | 'stale'): void {
    for (const incident of this.incidents.values()) {
      for (const alert of incident.alerts) {
        if (alert.closed !== '' || alert.signal !== signal || alertKey(alert) !== detectorKey) continue;
        alert.closed = how;
        incident.dirty = true;
      }
    }
  }

  /** Moves all incidents on to `nowMs` of stream time; answers with what is to be announced. */
  review(nowMs: number): Incident[] {
    const announcements: Incident[] = [];
    for (const incident of [...this.incidents.values()]) {
      if (incident.phase === 'closed') this.forgetWhenOld(incident, nowMs);
      else this.reviewActive(incident, nowMs, announcements);
    }
    return announcements;
  }

  /** Incidents changed since the last call; null for one that is forgotten. */
  takeChanges(): [localId: number, state: IncidentState | null][] {
    const changes: [number, IncidentState | null][] = [...this.removed].map((localId) => [localId, null]);
    this.removed.clear();
    for (const incident of this.incidents.values()) {
      if (!incident.dirty) continue;
      incident.dirty = false;
      changes.push([incident.localId, saveIncident(incident)]);
    }
    return changes;
  }

  restore(states: readonly IncidentState[]): void {
    for (const state of [...states].sort((a, b) => a.localId - b.localId)) {
      this.incidents.set(state.localId, restoreIncident(state));
    }
  }

  private start(alert: AlertState, scopeFrom: number, nowMs: number): void {
    const incident: IncidentInMemory = {
      localId: this.nextLocalId++,
      phase: 'pending',
      startedAt: nowMs,
      announcedAt: NEVER,
      announcedAs: '',
      closedAt: NEVER,
      scopeFrom,
      alerts: [alert],
      folded: nothingFolded(),
      record: blankRecord(alert, this.world.rules),
      dirty: true,
    };
    this.incidents.set(incident.localId, incident);
    this.examine(incident);
  }

  private homeFor(alert: AlertState, best: Candidate | undefined, nowMs: number): IncidentInMemory | undefined {
    const all = [...this.incidents.values()];
    const active = all.filter(({ phase }) => phase !== 'closed');
    const recent = all.filter(
      ({ phase, closedAt, record }) =>
        phase === 'closed' && record.mergedInto === '' && nowMs - closedAt <= this.world.rules.reopenMs,
    );
    if (best === undefined) {
      return active.find((i) => mentions(i, alert)) ?? recent.find((i) => hasAlertOf(i, alert));
    }
    const sameCause = ({ record }: IncidentInMemory) => causeKey(record.cause) === best.key;
    return (
      active.find(sameCause) ??
      // What is slow may be so because of retries and queues behind a fault that began long before.
      active.find(
        (i) => (alert.signal === 'latency' || this.firedTogether(i, alert)) && isOneFault(i, best, this.world),
      ) ??
      recent.find(sameCause)
    );
  }

  private firedTogether(incident: IncidentInMemory, alert: AlertState): boolean {
    const apart = TOGETHER_MS / this.world.rules.windowMs;
    return incident.alerts.some(({ firedWindow }) => Math.abs(firedWindow - alert.firedWindow) <= apart);
  }

  private reviewActive(incident: IncidentInMemory, nowMs: number, announcements: Incident[]): void {
    const { rules } = this.world;
    const over = incident.alerts.every(({ closed }) => closed !== '');
    const expired = nowMs - incident.startedAt >= rules.expireMs;
    if (over || expired || isExaminationDue(incident, nowMs)) this.examine(incident);
    if (this.mergeIntoOlder(incident, nowMs, announcements)) return;
    if (incident.phase === 'pending') {
      if (nowMs - incident.startedAt < rules.pendingMs) return;
      incident.record = this.opened(incident);
      incident.phase = 'open';
      announcements.push(announce(incident, incident.record.flaps > 0 ? 'reopened' : 'open', nowMs, this.world));
    } else if (over || expired) {
      if (!over) this.adoptAsNormal(incident);
      announcements.push(this.close(incident, over ? closingState(incident.alerts) : 'expired', nowMs));
    } else if (hasNews(incident, nowMs, rules)) {
      announcements.push(announce(incident, 'updated', nowMs, this.world));
    }
  }

  private opened(incident: IncidentInMemory): Incident {
    if (incident.record.flaps > 0) return incident.record;
    const { windowMs } = this.world.rules;
    const openedWindow = incident.alerts.reduce((first, a) => Math.min(first, a.firedWindow), Number.MAX_SAFE_INTEGER);
    const taken = new Set([...this.incidents.values()].map(({ record }) => record.incidentId));
    return {
      ...incident.record,
      incidentId: incidentId(causeKey(incident.record.cause), openedWindow, taken),
      openedAt: openedWindow * windowMs * 1000,
      detectedAt: incident.startedAt * 1000,
    };
  }

  /** A younger incident that turns out to have the cause of an older one hands its alerts over. */
  private mergeIntoOlder(incident: IncidentInMemory, nowMs: number, announcements: Incident[]): boolean {
    const older = [...this.incidents.values()].find(
      (other) =>
        other.localId < incident.localId &&
        other.phase !== 'closed' &&
        incident.record.cause.class !== FOLLOWED &&
        (isOfOnePlace(other, incident) ||
          (incident.phase === 'pending' &&
            incident.alerts.some((alert) => this.firedTogether(other, alert)) &&
            isOneFault(other, asCandidate(incident, this.world), this.world))),
    );
    if (older === undefined) return false;
    widenScope(older, incident.scopeFrom);
    for (const alert of incident.alerts) addAlert(older, { ...alert });
    this.examine(older);
    if (incident.phase === 'pending' && incident.record.flaps === 0) {
      this.remove(incident);
    } else {
      incident.record = { ...incident.record, mergedInto: older.record.incidentId };
      for (const alert of incident.alerts) alert.closed = 'resolved';
      announcements.push(this.close(incident, 'resolved', nowMs));
    }
    return true;
  }

  private adoptAsNormal(incident: IncidentInMemory): void {
    for (const alert of incident.alerts) {
      if (alert.closed !== '') continue;
      const table = tableOf(alert.signal, this.world);
      const row = table.rowOf(alertKey(alert));
      if (row !== undefined) table.adoptAsNormal(row);
      alert.closed = 'resolved';
    }
  }

  private close(incident: IncidentInMemory, state: 'resolved' | 'stale' | 'expired', nowMs: number): Incident {
    incident.phase = 'closed';
    incident.closedAt = nowMs;
    incident.record = { ...incident.record, resolvedAt: nowMs * 1000 };
    return announce(incident, state, nowMs, this.world);
  }

  private examine(incident: IncidentInMemory): void {
    const culprits = examineIncident(incident, this.world);
    foldEvidence(incident, culprits, this.world);
    incident.dirty = true;
  }

  private forgetWhenOld(incident: IncidentInMemory, nowMs: number): void {
    if (nowMs - incident.closedAt > this.world.rules.reopenMs) this.remove(incident);
  }

  private remove(incident: IncidentInMemory): void {
    this.incidents.delete(incident.localId);
    this.removed.add(incident.localId);
  }
}

const NEVER = -1;
const YOUNG_MS = 120_000;
const EXAMINED_EVERY_S = 5;
const TOGETHER_MS = 120_000;
/** The estimate of the onset may be late by a little; what failed just before belongs to the fault. */
const WINDOWS_BEFORE_ONSET = 3;

function reopen(incident: IncidentInMemory, scopeFrom: number, nowMs: number): void {
  incident.phase = 'pending';
  incident.startedAt = nowMs;
  incident.closedAt = NEVER;
  incident.scopeFrom = scopeFrom;
  incident.folded = nothingFolded();
  incident.alerts.length = 0;
  incident.record = { ...incident.record, flaps: incident.record.flaps + 1, resolvedAt: null };
}

function widenScope(incident: IncidentInMemory, from: number): void {
  if (incident.folded.through < 0) incident.scopeFrom = Math.min(incident.scopeFrom, from);
}

function addAlert(incident: IncidentInMemory, alert: AlertState): void {
  const earlier = incident.alerts.findIndex((present) => present.closed !== '' && isOfSameDetector(present, alert));
  if (earlier >= 0) incident.alerts.splice(earlier, 1);
  incident.alerts.push(alert);
  incident.dirty = true;
}

/** Each second while it is young, then less often. Depends on nothing but time, so that a restart changes nothing. */
function isExaminationDue({ localId, startedAt }: IncidentInMemory, nowMs: number): boolean {
  if (nowMs - startedAt <= YOUNG_MS) return true;
  return (Math.floor(nowMs / 1000) + localId) % EXAMINED_EVERY_S === 0;
}

/** The same service or peer is named, be it itself or the way to it. */
function isOfOnePlace(a: IncidentInMemory, b: IncidentInMemory): boolean {
  return a.record.cause.service === b.record.cause.service;
}

function isOneFault(incident: IncidentInMemory, other: CulpritOnPath, world: World): boolean {
  const { record } = incident;
  return record.cause.class !== FOLLOWED && areOneFault(asCandidate(incident, world), other, world.graph);
}

function asCandidate({ record }: IncidentInMemory, world: World): CulpritOnPath {
  return {
    key: causeKey(record.cause),
    culprit: { service: record.cause.service },
    upstream: new Set(record.blast.upstreamServices),
    unanswered: record.cause.class === NO_SERVER && isInstrumented(record.cause.service, world),
  };
}

/** Without failing traces at hand: does the alert speak of services that the incident is about? */
function mentions({ record, alerts }: IncidentInMemory, { client, server }: AlertState): boolean {
  const named = new Set([record.cause.service, ...record.propagationPath]);
  for (const alert of alerts) {
    named.add(alert.server);
    if (alert.client !== '') named.add(alert.client);
  }
  return named.has(server) || (client !== '' && named.has(client));
}

function hasAlertOf({ alerts }: IncidentInMemory, alert: AlertState): boolean {
  return alerts.some((present) => isOfSameDetector(present, alert));
}

function isOfSameDetector(a: AlertState, b: AlertState): boolean {
  return a.signal === b.signal && alertKey(a) === alertKey(b);
}
