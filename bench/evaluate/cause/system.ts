import type { SeededRandom } from '../../../lib/testkit/traffic/random.ts';

/** A made-up system of services: who serves what, and what each operation does for it. Free of cycles. */
export interface System {
  readonly services: readonly Service[];
  readonly entries: readonly Operation[];
}

export interface Service {
  readonly name: string;
  /** A proxy passes the context on and records its own server span only. */
  readonly isProxy: boolean;
  readonly operations: Operation[];
  /** Databases, caches and other peers without spans that it uses. */
  readonly peers: readonly Peer[];
}

export interface Operation {
  readonly service: Service;
  readonly name: string;
  /** Calls between it and the entry; 0 at the entry. */
  readonly depth: number;
  readonly medianMs: number;
  /** Share of requests that fail of themselves, all the time. */
  readonly baseErrors: number;
  readonly steps: Step[];
}

export interface Peer {
  readonly name: string;
  readonly kind: 'database' | 'cache' | 'external';
}

export type Step = CallStep | PeerStep | PublishStep;

interface Habits {
  /** Share of the operation's requests that come to this step. */
  readonly share: number;
  readonly attempts: number;
  /** The operation goes on without it when it fails. */
  readonly isOptional: boolean;
  /** Done inside an INTERNAL span, which says nothing of errors. */
  readonly isWrapped: boolean;
}

export interface CallStep extends Habits {
  readonly kind: 'call';
  readonly to: Operation;
  readonly timeoutMs: number;
}

export interface PeerStep extends Habits {
  readonly kind: 'peer';
  readonly peer: Peer;
}

/** The message is consumed in the same trace, after the sender has gone on. */
export interface PublishStep extends Pick<Habits, 'share'> {
  readonly kind: 'publish';
  readonly queue: string;
  readonly to: Operation;
}

/**
 * @param size services, 10 to 300. Entry operations grow with it, so that a request always goes through about ten of
 *   them. Each service has a caller; half have a second one, so that failures fan in and out.
 */
export function drawSystem(random: SeededRandom, size: number): System {
  const services: Service[] = [];
  const entries: Operation[] = [];
  const callable: Operation[] = [];
  const peers: Peer[] = [];
  const gateways = Math.max(1, Math.round(size / 50));
  for (let i = 0; i < gateways; i++) {
    const isProxy = i > 0 && random.chance(0.5);
    services.push({ name: `gateway-${i + 1}`, isProxy, operations: [], peers: [] });
  }
  for (let i = 0; i < Math.max(4, size / 5); i++) {
    const entry = addOperation(random, services[i % gateways] as Service, 0, `GET /${nameOf(i)}`);
    entries.push(entry);
    callable.push(entry);
  }
  for (let i = gateways; i < size; i++) {
    const service: Service = { name: nameOf(i), isProxy: false, operations: [], peers: drawPeers(random, i, peers) };
    services.push(service);
    const isWorker = i % 12 === 7;
    const callers = drawCallers(random, callable, isWorker);
    for (const [nth, caller] of callers.entries()) {
      const known = service.operations[0];
      const to = known !== undefined && random.chance(0.5) ? known : addServing(random, service, caller.depth + 1, nth);
      caller.steps.push(isWorker ? drawPublish(random, to) : drawCall(random, to));
    }
    if (!isWorker) callable.push(...service.operations);
  }
  for (const entry of entries) if (entry.steps.length === 0) attach(random, entry, callable);
  return { services, entries };
}

const STEPS_MAX = 3;
const DEPTH_MAX = 6;
const WORDS = ['orders', 'billing', 'stock', 'users', 'search', 'prices', 'mail', 'carts', 'quotes', 'routes'];
const BASE_ERRORS = [0, 0.0002, 0.001, 0.005];

function nameOf(index: number): string {
  return `${WORDS[index % WORDS.length]}-${index}`;
}

function addOperation(random: SeededRandom, service: Service, depth: number, name: string): Operation {
  const baseErrors = depth === 0 ? 0 : random.pick(BASE_ERRORS);
  const operation = { service, name, depth, medianMs: random.between(1, 8), baseErrors, steps: [] };
  service.operations.push(operation);
  return operation;
}

function addServing(random: SeededRandom, service: Service, depth: number, nth: number): Operation {
  const operation = addOperation(random, service, depth, `POST /${service.name}/v${nth + 1}`);
  for (const peer of service.peers) {
    if (random.chance(0.85)) {
      operation.steps.push({ kind: 'peer', peer, ...drawHabits(random), isOptional: peer.kind === 'cache' });
    }
  }
  return operation;
}

/** The deeper, the less likely, so that requests stay small; a step of a full operation is nobody's to add. */
function drawCallers(random: SeededRandom, callable: readonly Operation[], isWorker: boolean): Operation[] {
  const free = callable.filter((one) => callsOf(one) < STEPS_MAX && one.depth < DEPTH_MAX && !one.service.isProxy);
  const proxies = callable.filter((one) => one.service.isProxy && callsOf(one) === 0);
  const pool = isWorker ? free : [...free, ...proxies];
  const first = random.pickWeighted(pool.map((one) => ({ one, weight: 1 / (1 + one.depth + 2 * callsOf(one)) }))).one;
  if (isWorker || random.chance(0.5)) return [first];
  const second = random.pick(pool);
  return second.service === first.service ? [first] : [first, second];
}

function callsOf({ steps }: Operation): number {
  return steps.filter(({ kind }) => kind !== 'peer').length;
}

function attach(random: SeededRandom, entry: Operation, callable: readonly Operation[]): void {
  const below = callable.filter(({ depth }) => depth === 1);
  entry.steps.push({ ...drawCall(random, random.pick(below)), share: 1 });
}

function drawCall(random: SeededRandom, to: Operation): CallStep {
  const share = random.between(0.6, 1);
  return { kind: 'call', to, timeoutMs: random.pick([10_000, 30_000]), ...drawHabits(random), share };
}

function drawPublish(random: SeededRandom, to: Operation): PublishStep {
  return { kind: 'publish', to, queue: `${to.service.name}-events`, share: random.between(0.6, 1) };
}

function drawHabits(random: SeededRandom): Habits {
  return {
    share: random.between(0.7, 1),
    attempts: random.chance(0.2) ? 3 : 1,
    isOptional: random.chance(0.12),
    isWrapped: random.chance(0.3),
  };
}

/** A database of its own, or one that it shares; perhaps a cache, perhaps somebody else's interface. */
function drawPeers(random: SeededRandom, index: number, known: Peer[]): Peer[] {
  const drawn: Peer[] = [];
  const use = (kind: Peer['kind'], shared: number) => {
    const others = known.filter((peer) => peer.kind === kind);
    if (others.length > 0 && random.chance(shared)) return random.pick(others);
    const peer: Peer = { name: `${kind}-${index}`, kind };
    known.push(peer);
    return peer;
  };
  if (random.chance(0.6)) drawn.push(use('database', 0.3));
  if (random.chance(0.3)) drawn.push(use('cache', 0.5));
  if (random.chance(0.12)) drawn.push(use('external', 0.5));
  return drawn;
}
