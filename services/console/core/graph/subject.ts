import type { ServiceEdgeDelta } from '../../../../lib/codec/records.ts';

/** What is counted: an edge, a service's work, one operation of an edge, one entry operation of a service. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly client: string;
  readonly server: string;
  readonly connectionType: string;
  readonly peerKind: string;
  /** Empty for edges and services as a whole. */
  readonly operation: string;
}

export type SubjectKind = 'edge' | 'service' | 'edge_operation' | 'entry';

/** A delta counts for its subject as a whole and, where it names one, for an operation. */
export function subjectsOf(delta: ServiceEdgeDelta): Subject[] {
  const { client, server, connectionType, peerKind } = delta;
  const place = { client, server, connectionType, peerKind };
  switch (delta.subject) {
    case 'service':
      return [{ ...place, kind: 'service', operation: '' }];
    case 'entry':
      return [{ ...place, kind: 'entry', operation: delta.serverOperation }];
    case 'edge': {
      const operation = delta.clientOperation === '' ? delta.serverOperation : delta.clientOperation;
      const whole: Subject = { ...place, kind: 'edge', operation: '' };
      return operation === '' ? [whole] : [whole, { ...place, kind: 'edge_operation', operation }];
    }
  }
}

export function subjectKey({ kind, client, server, connectionType, operation }: Subject): string {
  return [kind, client, server, connectionType, operation].join('\0');
}
