import type { SubjectKind } from '../../../lib/codec/incident-records.ts';

/** What a detector watches. */
export interface Subject {
  readonly kind: SubjectKind;
  /** Only for an edge. */
  readonly client: string;
  readonly server: string;
  /** Only for an entry. */
  readonly operation: string;
  readonly connectionType: string;
  /** What the server is: service, database, cache, queue, external. */
  readonly peerKind: string;
}

/** Identifies a subject; part of a record key. Names are escaped, so that no two subjects share one. */
export function subjectKey(kind: SubjectKind, client: string, server: string, operation: string): string {
  if (kind === 'edge') return `edge|${escapeName(client)}|${escapeName(server)}`;
  if (kind === 'service') return `service|${escapeName(server)}`;
  return `entry|${escapeName(server)}|${escapeName(operation)}`;
}

export function keyOf(subject: Subject): string {
  return subjectKey(subject.kind, subject.client, subject.server, subject.operation);
}

/** Longer names are cut: they come from spans, and anything may stand there. */
export function boundedName(name: string): string {
  return name.length <= NAME_LENGTH_MAX ? name : name.slice(0, NAME_LENGTH_MAX);
}

const NAME_LENGTH_MAX = 256;

function escapeName(name: string): string {
  return name.includes('|') || name.includes('\\') ? name.replace(/[|\\]/g, '\\$&') : name;
}
