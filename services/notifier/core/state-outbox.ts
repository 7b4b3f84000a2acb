import type { Incident } from '../../../lib/codec/incident-records.ts';
import { type AlertmanagerAlert, alertOf, isFiring, isFor, labelsOf } from './alertmanager.ts';
import type { Announcement, Message, Outbox } from './outbox.ts';
import type { Sink } from './sinks.ts';

/**
 * For an Alertmanager, which holds a state: what fires is sent again and again, what ended once more with its end. Of
 * several announcements of an incident only the newest matters, and none is ever too old.
 *
 * An incident whose labels changed is another alert to Alertmanager: the alert under the old labels is ended.
 */
export class StateOutbox implements Outbox {
  readonly wantsMore = true;
  private readonly sink: Sink;
  private readonly options: { readonly resendMs: number; readonly link: string };
  private readonly firing = new Map<string, Incident>();
  /** To be sent once: alerts that have ended, by their labels. */
  private readonly ended = new Map<string, AlertmanagerAlert>();
  private sending: { ended: readonly string[]; position: number | undefined } | undefined;
  private isDue = false;
  private sentAtMs = Number.NEGATIVE_INFINITY;
  private seen: number | undefined;
  private settledPosition: number | undefined;

  constructor(sink: Sink, options: { resendMs: number; link: string }) {
    this.sink = sink;
    this.options = options;
  }

  remember(incident: Incident): void {
    if (isFiring(incident) && isFor(this.sink, incident)) this.firing.set(incident.incidentId, incident);
    else this.firing.delete(incident.incidentId);
  }

  take({ incident, offset, appendMs }: Announcement): void {
    this.seen = offset + 1;
    const before = this.firing.get(incident.incidentId);
    const wasTold = before !== undefined;
    if (!wasTold && !isFor(this.sink, incident)) return;
    this.isDue = true;
    const labels = JSON.stringify(labelsOf(incident));
    if (wasTold && JSON.stringify(labelsOf(before)) !== labels) this.end(before, appendMs);
    if (isFiring(incident)) {
      this.firing.set(incident.incidentId, incident);
      this.ended.delete(labels);
    } else {
      this.firing.delete(incident.incidentId);
      this.end(incident, appendMs);
    }
  }

  next(nowMs: number): Message | undefined {
    const isResendDue = this.firing.size > 0 && nowMs - this.sentAtMs >= this.options.resendMs;
    if (!this.isDue && !isResendDue) {
      this.settledPosition = this.seen;
      return undefined;
    }
    this.sending = { ended: [...this.ended.keys()], position: this.seen };
    const frame = { nowMs, lastsMs: LASTS_RESENDS * this.options.resendMs, link: this.options.link };
    const alerts = [...this.ended.values(), ...[...this.firing.values()].map((incident) => alertOf(incident, frame))];
    return {
      path: '/api/v2/alerts',
      headers: {},
      body: JSON.stringify(alerts),
      incidents: alerts.length,
      about: undefined,
    };
  }

  settled(nowMs: number): void {
    for (const labels of this.sending?.ended ?? []) this.ended.delete(labels);
    this.settledPosition = this.sending?.position;
    this.isDue = this.seen !== this.settledPosition;
    this.sentAtMs = nowMs;
  }

  forgetOffsets(): void {
    this.seen = undefined;
    this.settledPosition = undefined;
    if (this.sending !== undefined) this.sending = { ...this.sending, position: undefined };
  }

  takeTooOld(): readonly Announcement[] {
    return [];
  }

  get position(): number | undefined {
    return this.settledPosition;
  }

  private end(incident: Incident, nowMs: number): void {
    const over: Incident = { ...incident, state: 'resolved', resolvedAt: incident.resolvedAt ?? nowMs * 1000 };
    this.ended.set(JSON.stringify(labelsOf(incident)), alertOf(over, { nowMs, lastsMs: 0, link: this.options.link }));
  }
}

/** As Prometheus does: an alert outlives three lost sends. */
const LASTS_RESENDS = 4;
