import { describe, expect, it } from '@jest/globals';
import type { ErrorOrigin } from '../../../lib/codec/records.ts';
import { AlerterRun, edgeDelta, originOf, type Request, T0 } from './scenario.testkit.ts';

const SECOND = 1000;
const FAILS_FROM = T0 + 60 * SECOND;
const UNTIL = T0 + 150 * SECOND;

interface Path {
  readonly entry: string;
  /** Callers and callees, one below the other. */
  readonly calls: readonly (readonly [client: string, server: string])[];
  /** Of a failing request; the calls from `silentFrom` on are missing then. */
  readonly origins: readonly Partial<ErrorOrigin>[];
  readonly silentFrom?: number;
  /** All calls go well, also those of a failing request. */
  readonly callsAreFine?: boolean;
  readonly path: readonly string[];
}

/** Ten requests a second for each path, all of which fail after a minute. */
function* requestsOf(paths: readonly Path[]): Generator<Request> {
  let id = 0;
  for (let ms = T0; ms < UNTIL; ms += 100) {
    for (const { entry, calls, origins, silentFrom, callsAreFine, path } of paths) {
      const failed = ms >= FAILS_FROM;
      yield {
        traceId: String(id++).padStart(32, '0'),
        startMs: ms,
        arrivesMs: ms + 11_000,
        entry: { service: entry, operation: `GET /${entry}` },
        calls: calls
          .slice(0, failed ? silentFrom : undefined)
          .map(([client, server]) => ({ client, server, failed: failed && callsAreFine !== true })),
        failed,
        ...(failed ? { origins: origins.map((origin) => originOf({ peerKind: 'service', ...origin })) } : {}),
        ...(failed ? { path: [...path] } : {}),
      };
    }
  }
}

function announcedFor(paths: readonly Path[]) {
  return new AlerterRun().add(requestsOf(paths)).runUntil(UNTIL).announced;
}

describe('a gateway that answers 503 and calls nobody', () => {
  const gateway = { class: 'gateway', service: 'gateway', caller: '' };

  it('blames the way to whom its calls are missing', () => {
    const announced = announcedFor([
      { entry: 'gateway', calls: [['gateway', 'orders']], origins: [gateway], silentFrom: 0, path: ['gateway'] },
    ]);
    expect(announced[0]).toMatchObject({
      cause: { kind: 'edge', caller: 'gateway', service: 'orders', class: 'gateway' },
      blast: { upstreamServices: ['gateway'] },
      propagationPath: ['gateway', 'orders'],
    });
    expect(new Set(announced.map(({ incidentId }) => incidentId)).size).toBe(1);
  });

  it('is blamed itself when none are missing', () => {
    const announced = announcedFor([
      {
        ...{ entry: 'gateway', calls: [['gateway', 'orders']], callsAreFine: true },
        ...{ origins: [gateway], path: ['gateway'] },
      },
    ]);
    expect(announced[0]?.cause).toMatchObject({ kind: 'service', service: 'gateway', class: 'gateway' });
  });
});

describe('a call that nothing answered', () => {
  it('is of a service when the callee makes spans, whatever its address looks like', () => {
    const dead = { class: 'client_no_server', caller: 'gateway', service: 'orders', peerKind: 'external' };
    const [first] = announcedFor([
      { entry: 'gateway', calls: [['gateway', 'orders']], origins: [dead], path: ['gateway', 'orders'] },
    ]);
    expect(first?.cause).toMatchObject({ kind: 'service', service: 'orders', peerKind: 'service' });
    expect(first?.summary).toContain('Service orders fails');
  });

  it('waits for what its callee calls: one incident, and the one behind is the cause', () => {
    const calls = [
      ['gateway', 'orders'],
      ['orders', 'stock'],
    ] as const;
    const stuck = { class: 'client_no_server', caller: 'gateway', service: 'orders', peerKind: 'external' };
    const broken = { class: 'server_self', caller: '', service: 'stock' };
    const announced = announcedFor([
      { entry: 'gateway', calls, origins: [stuck], path: ['gateway', 'orders'] },
      { entry: 'admin', calls: [['admin', 'stock']], origins: [broken], path: ['admin', 'stock'] },
    ]);
    expect(new Set(announced.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(announced.at(-1)?.cause.service).toBe('stock');
    expect(
      announced
        .at(-1)
        ?.blast.entryOperations.map(({ service }) => service)
        .sort(),
    ).toEqual(['admin', 'gateway']);
  });
});

describe('traces with several origins or without a root', () => {
  it('counts only those as hit whom the failure of the cause itself went through', () => {
    const [stock, mail] = [
      { class: 'server_self', caller: '', service: 'stock', weight: 0.5, path: ['gateway', 'orders', 'stock'] },
      { class: 'server_self', caller: '', service: 'mail', weight: 0.5, masked: true, path: ['letters', 'mail'] },
    ];
    const calls = [
      ['gateway', 'orders'],
      ['orders', 'stock'],
    ] as const;
    const alone = { ...stock, weight: 1, path: [] };
    const announced = announcedFor([
      { entry: 'gateway', calls, origins: [stock, mail], path: ['gateway', 'orders', 'letters', 'stock', 'mail'] },
      { entry: 'admin', calls: [['admin', 'stock']], origins: [alone], path: ['admin', 'stock'] },
    ]);
    const ofStock = announced.filter(({ cause }) => cause.service === 'stock').at(-1);
    expect(ofStock?.blast.upstreamServices).toEqual(['admin', 'gateway', 'orders']);
  });

  it('makes no entry operation and no request of a trace whose root is missing', () => {
    const run = new AlerterRun().add(
      requestsOf([
        {
          entry: 'gateway',
          calls: [['gateway', 'orders']],
          origins: [{ class: 'server_self', caller: '', service: 'orders' }],
          path: ['gateway', 'orders'],
        },
      ]),
    );
    const failure = {
      ...{ traceId: 'f'.repeat(32), sign: 1, userVisible: false, startTime: FAILS_FROM * 1000 },
      origins: [originOf({ class: 'server_self', caller: '', service: 'orders', peerKind: 'service' })],
      path: ['orders'],
    };
    const windowStart = FAILS_FROM * 1000;
    const rootless = { subject: 'entry', client: '', server: 'orders', serverOperation: 'part', windowStart } as const;
    run.addDeltas(FAILS_FROM + 11_000, [
      edgeDelta({ ...rootless, confidence: 'orphan', calls: 0, traces: 0, failures: [failure] }),
    ]);
    run.runUntil(UNTIL);
    expect(run.announced.length).toBeGreaterThan(0);
    for (const { blast } of run.announced) {
      expect(blast.entryOperations.map(({ service }) => service)).toEqual(['gateway']);
      expect(blast.maskedRequests).toBe(0);
    }
    expect(run.core.figures.subjects).toBe(4);
  });
});
