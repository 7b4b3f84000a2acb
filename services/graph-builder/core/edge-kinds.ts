/**
 * The words of a ServiceEdgeDelta as numbers, packed into one for use in keys. Each list is in the order of its
 * numbers; what the words mean stands in schemas/service-edge-delta.avsc.
 */
export const SUBJECTS = ['edge', 'service', 'entry'] as const;
export const CONNECTION_TYPES = ['', 'messaging_system', 'database', 'virtual_node'] as const;
export const PEER_KINDS = ['service', 'database', 'cache', 'queue', 'external'] as const;
export const CONFIDENCES = ['exact', 'back_filled', 'virtual', 'orphan'] as const;

export const SUBJECT = { edge: 0, service: 1, entry: 2 } as const;
export const CONNECTION = { rpc: 0, messaging: 1, database: 2, virtual: 3 } as const;
export const PEER = { service: 0, database: 1, cache: 2, queue: 3, external: 4 } as const;
export const CONFIDENCE = { exact: 0, backFilled: 1, virtual: 2, orphan: 3 } as const;

export function packEdge(connection: number, peerKind: number, confidence: number): number {
  return (connection << 2) | (peerKind << 4) | (confidence << 7);
}

/** A packed edge with its subject; below PACKED_MAX. */
export function packSubject(subject: number, packedEdge = 0): number {
  return packedEdge | subject;
}

export const PACKED_MAX = 512;

export function subjectOf(packed: number): (typeof SUBJECTS)[number] {
  return SUBJECTS[packed & 3] as (typeof SUBJECTS)[number];
}

/** Number in CONNECTION. */
export function connectionOf(packed: number): number {
  return (packed >> 2) & 3;
}

export function connectionTypeOf(packed: number): (typeof CONNECTION_TYPES)[number] {
  return CONNECTION_TYPES[(packed >> 2) & 3] as (typeof CONNECTION_TYPES)[number];
}

export function peerKindOf(packed: number): (typeof PEER_KINDS)[number] {
  return PEER_KINDS[(packed >> 4) & 7] as (typeof PEER_KINDS)[number];
}

export function confidenceOf(packed: number): (typeof CONFIDENCES)[number] {
  return CONFIDENCES[(packed >> 7) & 3] as (typeof CONFIDENCES)[number];
}
