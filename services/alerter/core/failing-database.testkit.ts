import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { edgeDelta, originOf } from './scenario.testkit.ts';

const WINDOW_MS = 10_000;
let traces = 0;

/** Start of the window so many before this one, epoch microseconds. */
export const windowAgo = (windows: number) => (Math.floor(Date.now() / WINDOW_MS) - windows) * WINDOW_MS * 1000;

/** One window of gateway → backend → orders-db, in which some calls to the database fail. */
export function failingDatabase(windowStart: number, calls: number, errors: number): ServiceEdgeDelta[] {
  const failures = Array.from({ length: errors }, () => ({
    traceId: (++traces).toString(16).padStart(32, '0'),
    sign: 1,
    userVisible: true,
    startTime: windowStart,
    origins: [originOf()],
    path: ['gateway', 'backend', 'orders-db'],
  }));
  const counts = { windowStart, calls, errors, traces: calls };
  return [
    edgeDelta({ ...counts }),
    edgeDelta({ ...counts, client: 'backend', server: 'orders-db', connectionType: 'database', peerKind: 'database' }),
    edgeDelta({ ...counts, subject: 'service', client: '', server: 'gateway' }),
    edgeDelta({ ...counts, subject: 'service', client: '', server: 'backend' }),
    edgeDelta({ ...counts, subject: 'entry', client: '', server: 'gateway', serverOperation: 'GET /orders', failures }),
  ];
}
