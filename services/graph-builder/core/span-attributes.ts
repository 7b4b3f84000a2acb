import { ATTRIBUTES_OF, AttributeReader, textRange } from '../../../lib/trace/attributes.ts';
import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import { CONNECTION, PEER } from './edge-kinds.ts';
import type { NameTable } from './name-table.ts';

/** What a span's attributes say of its outcome and of the other side of its call. Old and new names of each. */
export class SpanAttributes {
  /** Set by `findPeer`: number of the peer's service, CONNECTION and PEER. */
  peerService = -1;
  peerConnection: number = CONNECTION.rpc;
  peerKind: number = PEER.service;
  private readonly reader = new AttributeReader(KEYS);
  private bytes: Buffer = Buffer.alloc(0);

  read(bytes: Buffer, bodyStart: number, bodyEnd: number): void {
    this.bytes = bytes;
    this.reader.read(bytes, bodyStart, bodyEnd, ATTRIBUTES_OF.span);
  }

  /**
   * Bits of OUTCOME. A span fails by status ERROR; without a status by HTTP >= 500, by the gRPC codes that mean the
   * server is at fault, or by an `error` attribute. A 4xx is the caller's doing: a client span that has one does not
   * fail, whatever its status. CANCELLED fails a client, not a server. Status OK means somebody looked and found it fine.
   */
  outcome(kind: number, statusCode: number): number {
    const http = this.reader.integer(K.httpStatus) ?? this.reader.integer(K.httpStatusOld) ?? 0;
    const is4xx = http >= 400 && http < 500;
    const isCaller = kind === SPAN_KIND.client || kind === SPAN_KIND.producer;
    const isCallersFault = is4xx && isCaller;
    const failed = statusCode !== STATUS_OK && !isCallersFault && this.fails(statusCode, http, isCaller);
    return (
      (failed ? OUTCOME.failed : 0) |
      (is4xx ? OUTCOME.answered4xx : 0) |
      (http > 501 && http < 505 ? OUTCOME.gateway : 0) |
      (isCaller && this.reader.integer(K.grpcStatus) === GRPC_CANCELLED ? OUTCOME.cancelled : 0)
    );
  }

  /**
   * The peer of a call without spans on its other side. False when no attribute names it.
   *
   * Databases are named as in Tempo: `peer.service`, the server's address, its peer address with port, then what the
   * database calls itself. Queues are `system/destination`; a message whose span names neither went to the broker that
   * its address is of. Others: `peer.service`, then their address.
   */
  findPeer(names: NameTable, kind: number): boolean {
    const isMessage = kind === SPAN_KIND.producer || kind === SPAN_KIND.consumer;
    if (
      isMessage ||
      this.reader.has(K.messagingSystem) ||
      this.reader.has(K.destination) ||
      this.reader.has(K.destinationOld)
    ) {
      return this.findQueue(names);
    }
    const isDatabase = DATABASE_KEYS.some((key) => this.reader.has(key));
    if (!isDatabase) {
      this.peerConnection = CONNECTION.virtual;
      this.peerKind = PEER.external;
      return this.firstName(names, ADDRESS_KEYS) || this.firstName(names, PEER_ADDRESS_KEYS);
    }
    this.peerConnection = CONNECTION.database;
    const system = this.reader.text(K.dbSystemName) || this.reader.text(K.dbSystem);
    this.peerKind = CACHES.has(system.toLowerCase()) ? PEER.cache : PEER.database;
    return this.firstName(names, ADDRESS_KEYS) || this.peerAddress(names) || this.firstName(names, DATABASE_KEYS);
  }

  /** Only an explicit `peer.service`: whoever names its caller, or a span without a kind. */
  findNamedPeer(names: NameTable): boolean {
    this.peerConnection = CONNECTION.virtual;
    this.peerKind = PEER.external;
    return this.firstName(names, NAMED_KEYS);
  }

  private fails(statusCode: number, http: number, isCaller: boolean): boolean {
    const grpc = this.reader.integer(K.grpcStatus);
    if (statusCode === STATUS_ERROR) return isCaller || grpc !== GRPC_CANCELLED;
    if (http >= 500) return true;
    if (grpc !== undefined && (GRPC_FAILED.has(grpc) || (isCaller && grpc === GRPC_CANCELLED))) return true;
    return this.reader.has(K.error) && this.reader.text(K.error) !== 'false';
  }

  private findQueue(names: NameTable): boolean {
    this.peerConnection = CONNECTION.messaging;
    this.peerKind = PEER.queue;
    const system = this.reader.text(K.messagingSystem) || this.reader.text(K.peerService);
    // Temporary queues have a name each; the template, or only the system, stands for all of them.
    const isTemporary = this.reader.text(K.destinationTemporary) === 'true';
    const destination =
      this.reader.text(K.destinationTemplate) ||
      (isTemporary ? '' : this.reader.text(K.destination) || this.reader.text(K.destinationOld));
    const name = [system, destination].filter((part) => part !== '').join('/');
    if (name === '') return this.firstName(names, ADDRESS_KEYS) || this.firstName(names, PEER_ADDRESS_KEYS);
    this.peerService = names.serviceNamed(name);
    return true;
  }

  private firstName(names: NameTable, keys: readonly number[]): boolean {
    for (const key of keys) {
      if (!this.reader.locateText(key)) continue;
      const { start, end } = textRange();
      this.peerService = names.service(this.bytes, start, end);
      return true;
    }
    return false;
  }

  private peerAddress(names: NameTable): boolean {
    const address = PEER_ADDRESS_KEYS.find((key) => this.reader.locateText(key));
    if (address === undefined) return false;
    const port = this.reader.text(K.peerPort) || this.reader.text(K.peerPortOld);
    const host = this.reader.text(address);
    this.peerService = names.serviceNamed(port === '' ? host : `${host}:${port}`);
    return true;
  }
}

/**
 * failed: counts as an error. answered4xx: an HTTP 4xx. gateway: an HTTP 502, 503 or 504. cancelled: a call that its caller
 * no longer waited for.
 */
export const OUTCOME = { failed: 1, answered4xx: 2, gateway: 4, cancelled: 8 } as const;

/** Keys by a short name, and their place in KEYS. */
const NAMES = {
  peerService: 'peer.service',
  serverAddress: 'server.address',
  netPeerName: 'net.peer.name',
  httpHost: 'http.host',
  peerAddress: 'network.peer.address',
  sockPeerAddress: 'net.sock.peer.addr',
  netPeerIp: 'net.peer.ip',
  peerPort: 'network.peer.port',
  peerPortOld: 'net.peer.port',
  dbNamespace: 'db.namespace',
  dbName: 'db.name',
  dbSystem: 'db.system',
  dbSystemName: 'db.system.name',
  messagingSystem: 'messaging.system',
  destination: 'messaging.destination.name',
  destinationOld: 'messaging.destination',
  destinationTemplate: 'messaging.destination.template',
  destinationTemporary: 'messaging.destination.temporary',
  httpStatus: 'http.response.status_code',
  httpStatusOld: 'http.status_code',
  grpcStatus: 'rpc.grpc.status_code',
  error: 'error',
} as const;
type ShortName = keyof typeof NAMES;
const SHORT_NAMES = Object.keys(NAMES) as ShortName[];
const KEYS = SHORT_NAMES.map((short) => NAMES[short]);
const K = Object.fromEntries(SHORT_NAMES.map((short, index) => [short, index])) as Record<ShortName, number>;

const NAMED_KEYS = [K.peerService];
const ADDRESS_KEYS = [K.peerService, K.serverAddress, K.netPeerName, K.httpHost];
const PEER_ADDRESS_KEYS = [K.peerAddress, K.sockPeerAddress, K.netPeerIp];
/** Any of them marks a database; in this order they name it when nothing else does. */
const DATABASE_KEYS = [K.dbNamespace, K.dbName, K.dbSystem, K.dbSystemName];

/** Values of `db.system` and `db.system.name` that are read through or written through, not the system of record. */
const CACHES = new Set([
  ...['redis', 'valkey', 'memcached', 'keydb', 'dragonfly', 'dragonflydb', 'garnet', 'hazelcast', 'infinispan'],
  ...['ehcache', 'couchbase_memcached', 'elasticache', 'aws.elasticache', 'azure.redis', 'ignite', 'apache.ignite'],
]);

const STATUS_OK = 1;
const STATUS_ERROR = 2;
const GRPC_CANCELLED = 1;
/** UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_FAILED = new Set([2, 4, 8, 12, 13, 14, 15]);
