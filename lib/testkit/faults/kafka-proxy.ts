import type { ProxiedConnection } from './connection-pair.ts';
import { KafkaFrames } from './kafka-frames.ts';
import { type Endpoint, type Interceptor, TcpProxy } from './tcp-proxy.ts';

/** What happens to a request that a rule catches. */
export type KafkaFault =
  /** The connection is reset; the broker never sees the request. */
  | 'cut-before'
  /** Half of the request's bytes reach the broker, then the connection is reset. */
  | 'cut-inside'
  /** The broker carries the request out; its answer is lost with the connection: the outcome is unknown to the client. */
  | 'lose-answer'
  /** The request never gets anywhere and the connection stays up. */
  | 'swallow'
  /** The request is passed on after so many milliseconds. */
  | { readonly delayMs: number };

export interface KafkaRule {
  readonly api: keyof typeof API_KEYS;
  readonly fault: KafkaFault;
  /** Catches this many requests, then none; default: all until it is removed. */
  readonly times?: number;
}

/** @param frame with its length and correlation id before it. */
export type ForgeAnswer = (apiKey: number, frame: Buffer) => void;

/** A rule at work. */
export interface ArmedRule {
  /** Requests that it has caught. */
  readonly hits: number;
  remove(): void;
}

/**
 * A proxy in front of one broker that knows where requests begin and which they are, so that a fault can hit, say, the
 * second EndTxn and nothing else. Addresses of that broker in the answers are replaced by the proxy's: clients that begin
 * here stay here, whatever the broker advertises.
 */
export class KafkaProxy {
  readonly tcp: TcpProxy;
  private readonly rules: Rule[];

  private constructor(tcp: TcpProxy, rules: Rule[]) {
    this.tcp = tcp;
    this.rules = rules;
  }

  /** @param forge is given each answer to change in place, its length kept. */
  static async open(broker: Endpoint, forge: ForgeAnswer = () => {}): Promise<KafkaProxy> {
    const rules: Rule[] = [];
    let tcp: TcpProxy | undefined;
    const intercept = () => new KafkaInterceptor(rules, broker, forge, () => (tcp as TcpProxy).port);
    tcp = await TcpProxy.open(broker, intercept);
    return new KafkaProxy(tcp, rules);
  }

  arm(rule: KafkaRule): ArmedRule {
    const armed = new Rule(rule);
    this.rules.push(armed);
    return {
      get hits() {
        return armed.hits;
      },
      remove: () => {
        armed.left = 0;
      },
    };
  }

  close(): Promise<void> {
    return this.tcp.close();
  }
}

class Rule {
  readonly apiKey: number;
  readonly fault: KafkaFault;
  left: number;
  hits = 0;

  constructor({ api, fault, times }: KafkaRule) {
    this.apiKey = API_KEYS[api];
    this.fault = fault;
    this.left = times ?? Number.POSITIVE_INFINITY;
  }
}

class KafkaInterceptor implements Interceptor {
  private readonly rules: readonly Rule[];
  private readonly broker: Endpoint;
  private readonly forge: ForgeAnswer;
  private readonly ownPort: () => number;
  private readonly requests = new KafkaFrames();
  private readonly answers = new KafkaFrames();
  /** Api key by correlation id of what is under way on this connection. */
  private readonly underWay = new Map<number, number>();
  private readonly losing = new Set<number>();

  constructor(rules: readonly Rule[], broker: Endpoint, forge: ForgeAnswer, ownPort: () => number) {
    this.rules = rules;
    this.broker = broker;
    this.forge = forge;
    this.ownPort = ownPort;
  }

  async fromClient(chunk: Buffer, connection: ProxiedConnection): Promise<Buffer | undefined> {
    const passed: Buffer[] = [];
    for (const frame of this.requests.add(chunk)) {
      const apiKey = frame.readInt16BE(4);
      const correlationId = frame.readInt32BE(8);
      this.underWay.set(correlationId, apiKey);
      const fault = this.faultOf(apiKey);
      if (fault === undefined) passed.push(frame);
      else if (fault === 'swallow') this.underWay.delete(correlationId);
      else if (fault === 'lose-answer') {
        this.losing.add(correlationId);
        passed.push(frame);
      } else if (typeof fault === 'object') {
        await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
        passed.push(frame);
      } else {
        const before = Buffer.concat(passed);
        const part = fault === 'cut-inside' ? frame.subarray(0, frame.length >> 1) : frame.subarray(0, 0);
        await connection.sendToServer(Buffer.concat([before, part])).catch(() => {});
        connection.cut();
        return undefined;
      }
    }
    return Buffer.concat(passed);
  }

  async fromServer(chunk: Buffer, connection: ProxiedConnection): Promise<Buffer | undefined> {
    const passed: Buffer[] = [];
    for (const frame of this.answers.add(chunk)) {
      const correlationId = frame.readInt32BE(4);
      if (this.losing.has(correlationId)) {
        connection.cut();
        return undefined;
      }
      const apiKey = this.underWay.get(correlationId);
      this.underWay.delete(correlationId);
      if (apiKey === API_KEYS.Metadata || apiKey === API_KEYS.FindCoordinator) this.replaceAddress(frame);
      if (apiKey !== undefined) this.forge(apiKey, frame);
      passed.push(frame);
    }
    return Buffer.concat(passed);
  }

  private faultOf(apiKey: number): KafkaFault | undefined {
    const rule = this.rules.find((candidate) => candidate.apiKey === apiKey && candidate.left > 0);
    if (rule === undefined) return undefined;
    rule.left--;
    rule.hits++;
    return rule.fault;
  }

  /**
   * A host is a length and its bytes, the port four bytes behind it: only the port changes, so no length does. The length
   * is of two bytes, or in newer versions of one and counts one more.
   */
  private replaceAddress(frame: Buffer): void {
    for (const host of [this.broker.host, 'localhost', '127.0.0.1']) {
      const port = Buffer.alloc(4);
      port.writeInt32BE(this.broker.port);
      for (const length of [[0, host.length], [host.length + 1]]) {
        const address = Buffer.concat([Buffer.from(length), Buffer.from(host, 'latin1'), port]);
        for (let at = frame.indexOf(address); at >= 0; at = frame.indexOf(address, at + 1))
          frame.writeInt32BE(this.ownPort(), at + length.length + host.length);
      }
    }
  }
}

/** Those that faults are aimed at, and those whose answers hold addresses. */
export const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  ApiVersions: 18,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
} as const;
