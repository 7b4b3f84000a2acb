import { span, UNKNOWN_START } from '../zipkin-literal.ts';
import { ANOTHER_ROOT, type TreeCase } from './case.ts';

/** B. How spans become a tree: SpanNodeTest. */
export const TREE_CASES: readonly TreeCase[] = [
  {
    name: 'constructsTraceTree',
    trace: [span('a', '', '', 'x'), span('b', 'a', '', 'x'), span('c', 'b', '', 'x'), span('d', 'c', '', 'x')],
    zipkin: 'a:x(b:x(c:x(d:x)))',
  },
  {
    name: 'constructsTraceTree_sharedId',
    trace: [
      span('a', '', '', 'web'),
      span('b', 'a', 'CLIENT', 'web'),
      span('b', 'a', 'SERVER', 'app', '', { shared: true }),
      span('c', 'b', '', 'app'),
    ],
    zipkin: 'a:web(b:web(b:app(c:app)))',
  },
  {
    name: 'constructsTraceTree_sharedRootId',
    trace: [
      span('a', '', 'CLIENT', 'web'),
      span('a', '', 'SERVER', 'app', '', { shared: true }),
      span('b', 'a', '', 'app'),
      span('c', 'b', '', 'app'),
    ],
    zipkin: 'a:web(a:app(b:app(c:app)))',
  },
  {
    name: 'constructsTraceTree_qualifiesChildrenOfDuplicateServerSpans',
    trace: [
      span('a', '', '', 'web'),
      span('b', 'a', 'CLIENT', 'web'),
      span('b', 'a', 'SERVER', 'foo', '', { shared: true }),
      span('b', 'a', 'SERVER', 'bar', '', { shared: true }),
      span('c', 'b', '', 'bar'),
      span('d', 'b', '', 'foo'),
    ],
    zipkin: 'a:web(b:web(b:bar(c:bar) b:foo(d:foo)))',
  },
  {
    name: 'constructsTraceTree_qualifiesChildrenOfDuplicateServerSpans_mixedShared',
    trace: [
      span('a', '', '', 'web'),
      span('b', 'a', 'CLIENT', 'web'),
      span('c', 'b', '', 'foo'),
      span('b', 'a', 'SERVER', 'bar', '', { shared: true }),
      span('d', 'b', '', 'bar'),
      span('e', 'c', '', 'foo'),
    ],
    zipkin: 'a:web(b:web(b:bar(d:bar) c:foo(e:foo)))',
  },
  {
    name: 'constructsTraceTree_dedupes',
    trace: [span('a', '', '', 'x'), span('a', '', '', 'x'), span('a', '', '', 'x')],
    zipkin: 'a:x',
  },
  {
    name: 'constructsTraceTree_duplicateRoots',
    trace: [span('a', '', '', 'x'), span('b', '', '', 'x')],
    zipkin: 'a:x(b:x)',
    accurate: 'a:x b:x',
    why: ANOTHER_ROOT,
  },
  {
    name: 'build_redundantIgnored',
    trace: [span('a', '', '', 'x'), span('b', '', '', 'x'), span('b', '', '', 'x')],
    zipkin: 'a:x(b:x)',
    accurate: 'a:x b:x',
    why: ANOTHER_ROOT,
  },
  {
    name: 'build_noChildLeftBehind',
    trace: [
      span('b', '', '', 'x'),
      span('c', 'b', '', 'x'),
      span('d', 'b', '', 'x'),
      span('e', '', '', 'x'),
      span('f', '', '', 'x'),
    ],
    zipkin: 'b:x(c:x d:x e:x f:x)',
    accurate: 'b:x(c:x d:x) e:x f:x',
    why: ANOTHER_ROOT,
  },
  {
    name: 'build_headless',
    trace: [span('b', 'a', '', 'x'), span('c', 'a', '', 'x'), span('d', 'a', '', 'x')],
    zipkin: '?(b:x c:x d:x)',
  },
  {
    name: 'build_outOfOrder',
    trace: [span('d', 'b', '', 'x'), span('c', 'a', '', 'x'), span('b', 'a', '', 'x')],
    zipkin: '?(b:x(d:x) c:x)',
  },
  {
    name: 'addNode_skipsOnCycle',
    trace: [span('b', 'd', '', 'x', '', { start: 1 }), span('d', 'b', '', 'x', '', { start: 2 })],
    zipkin: '?',
    accurate: '?(b:x(d:x))',
    why: 'a cycle is cut above its earliest span rather than lost',
  },
  {
    name: 'addChild_selfNotAllowed',
    trace: [span('a', 'a', '', 'x')],
    zipkin: 'a:x',
  },
  {
    name: 'build_skewedTrace',
    trace: [
      span('f1', 'c1', '', 'serviceb', '', { ip: '192.0.2.1', start: 8, duration: 65 }),
      span('f1', 'bad', 'SERVER', 'serviceb', '', { ip: '192.0.2.1', shared: true, start: 7e9, duration: 168 }),
      span('e1', '', 'SERVER', 'servicea', '', { ip: '192.0.2.2', start: 71, duration: 99 }),
      span('c1', 'e1', 'CLIENT', 'servicea', '', { ip: '192.0.2.2', start: 74, duration: 94 }),
    ],
    zipkin: 'e1:servicea(c1:servicea(f1:serviceb(f1:serviceb)))',
    accurate: 'e1:servicea(c1:servicea(f1:serviceb))',
    why: 'two spans of one id and service, of which one has no kind, are one span: with the parent that is in the trace',
  },
  {
    name: 'ordersChildrenByTimestamp',
    trace: [
      span('1', '', '', 'x'),
      span('a', '1', '', 'x', '', { start: 2 }),
      span('b', '1', '', 'x', '', { start: 1 }),
      span('c', '1', '', 'x', '', { start: UNKNOWN_START }),
    ],
    zipkin: '1:x(c:x b:x a:x)',
    accurate: '1:x(a:x b:x c:x)',
    why: 'nothing follows from the order of children: clocks differ',
  },
  {
    name: 'build_changingIps',
    trace: [
      span('c', 'a', 'SERVER', 'my-service', '', { ip: '192.0.2.1', shared: true, start: 1 }),
      span('b', 'c', 'CLIENT', 'my-service', '', { ip: '198.51.100.1', start: 2 }),
      span('a', 'c', '', 'my-service', '', { ip: '192.0.2.1', start: 3 }),
    ],
    zipkin: '?(c:my-service(a:my-service) b:my-service)',
    accurate: '?(c:my-service(a:my-service b:my-service))',
    why: 'addresses change; a parent is known by its id',
  },
];
