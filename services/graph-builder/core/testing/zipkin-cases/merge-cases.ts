import { span } from '../zipkin-literal.ts';
import type { TreeCase } from './case.ts';

/** A. How parts of spans are put together: TraceTest. */
export const MERGE_CASES: readonly TreeCase[] = [
  {
    name: 'backfillsMissingParentIdOnSharedSpan',
    trace: [
      span('a', '', 'SERVER', 'frontend'),
      span('b', 'a', 'CLIENT', 'frontend'),
      span('b', '', 'SERVER', 'backend', '', { shared: true }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend))',
  },
  {
    name: 'backfillsMissingSharedFlag',
    trace: [
      span('a', '', 'SERVER', 'frontend'),
      span('b', 'a', 'CLIENT', 'frontend', '', { ip: '192.0.2.1' }),
      span('b', 'a', 'SERVER', 'backend', '', { ip: '192.0.2.2' }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend))',
  },
  {
    name: 'choosesBestTraceId',
    trace: [
      span('a', '', 'SERVER', 'frontend', '', { trace: '5af1c0de5af1c0de0123456789abcdef' }),
      span('b', 'a', 'CLIENT', 'frontend', '', { trace: '5af1c0de5af1c0de0123456789abcdef' }),
      span('b', 'a', 'SERVER', 'backend', '', { trace: '0123456789abcdef', shared: true }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend))',
  },
  {
    name: 'mergesWhenMissingEndpoints',
    trace: [
      span('a', '', ''),
      span('b', 'a', ''),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true }),
      span('b', 'a', '', '', '', { duration: 10 }),
    ],
    zipkin: 'a(b(b:backend))',
    accurate: 'a(b:backend)',
    why: 'a part without kind and service says nothing that would set it apart from the only span of its id',
  },
  {
    name: 'doesntMergeSharedSpansOnDifferentIPs',
    trace: [
      span('a', '', 'SERVER', 'frontend'),
      span('b', 'a', 'CLIENT', 'frontend', '', { annotation: 'flush' }),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true, ip: '192.0.2.1' }),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true, ip: '192.0.2.2' }),
      span('b', 'a', 'CLIENT', 'frontend', '', { duration: 10 }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend b:backend))',
    accurate: 'a:frontend(b:frontend(b:backend))',
    why: 'addresses change under a pod; spans of one id, service and kind are one span',
  },
  {
    name: 'putsRandomDataOnFirstSpanWithEndpoint',
    trace: [
      span('a', '', 'SERVER', 'frontend'),
      span('b', 'a', 'CLIENT'),
      span('b', 'a', '', 'frontend', '', { annotation: 'flush' }),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true, ip: '192.0.2.1' }),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true, ip: '192.0.2.2' }),
      span('b', 'a', '', '', '', { duration: 10 }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend b:backend))',
    accurate: 'a:frontend(b:frontend(b:backend))',
    why: 'addresses change under a pod; spans of one id, service and kind are one span',
  },
  {
    name: 'mergesIncompleteEndpoints',
    trace: [
      span('a', '', 'SERVER', 'frontend'),
      span('b', 'a', 'CLIENT', 'frontend'),
      span('b', 'a', 'CLIENT', '', '', { ip: '192.0.2.1' }),
      span('b', 'a', 'SERVER', '', '', { ip: '192.0.2.2', shared: true }),
      span('b', 'a', 'SERVER', 'backend', '', { shared: true }),
    ],
    zipkin: 'a:frontend(b:frontend(b:backend))',
  },
  {
    name: 'deletesSelfReferencingParentId',
    trace: [span('a', 'a', 'SERVER', 'frontend'), span('b', 'a', 'CLIENT', 'frontend')],
    zipkin: 'a:frontend(b:frontend)',
  },
  {
    name: 'worksWhenMissingParentSpan',
    trace: [span('b', 'a', 'SERVER', 'backend', '', { ip: '192.0.2.1' }), span('c', 'a', 'SERVER', 'backend')],
    zipkin: '?(b:backend c:backend)',
  },
  {
    name: 'cleanupComparator_ordersClientFirst',
    trace: [span('b', 'a', 'SERVER', 'backend', '', { ip: '192.0.2.1' }), span('b', 'a', 'CLIENT', 'frontend')],
    zipkin: '?(b:frontend(b:backend))',
  },
];
