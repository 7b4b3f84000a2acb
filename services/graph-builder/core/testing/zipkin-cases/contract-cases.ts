import { span, type ZipkinLiteral } from '../zipkin-literal.ts';
import { type LinkCase, NAMELESS } from './case.ts';

export const SHOP: readonly ZipkinLiteral[] = [
  span('1', '', 'SERVER', 'frontend', '', { start: 0, duration: 350 }),
  span('2', '1', 'CLIENT', 'frontend', 'backend', { start: 50, duration: 200 }),
  span('2', '1', 'SERVER', 'backend', '', { start: 100, duration: 150, shared: true }),
  span('3', '2', 'CLIENT', 'backend', 'db', { start: 150, duration: 50, error: 'boom' }),
];
export const SHOP_LINKS = ['backend → db 1 error', 'frontend → backend'];

/** D. What a graph must hold to, whatever stores it: ITDependencies. */
export const CONTRACT_CASES: readonly LinkCase[] = [
  { name: 'getDependencies', traces: [SHOP], zipkin: SHOP_LINKS },
  {
    name: 'getDependencies_linksMixedTraceId',
    traces: [
      [
        span('1', '', 'SERVER', 'frontend', '', { trace: '5af1c0de5af1c0de0123456789abcdef' }),
        span('2', '1', 'SERVER', 'backend', '', { trace: '0123456789abcdef', shared: true }),
        span('2', '1', 'CLIENT', 'frontend', '', { trace: '5af1c0de5af1c0de0123456789abcdef' }),
      ],
    ],
    zipkin: ['frontend → backend'],
  },
  { name: 'empty', traces: [[]], zipkin: [] },
  {
    name: 'getDependenciesAllInstrumented',
    traces: [
      [
        span('10', '', 'SERVER', 'frontend', '', { ip: '127.0.0.1' }),
        span('20', '10', 'CLIENT', 'frontend', '', { ip: '127.0.0.1', port: 3001 }),
        span('20', '10', 'SERVER', 'backend', '', { ip: '127.0.0.2', shared: true }),
        span('30', '20', 'CLIENT', 'backend', '', { ip: '127.0.0.2', port: 3002 }),
        span('30', '20', 'SERVER', 'db', '', { ip: '127.0.0.3', shared: true }),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend'],
  },
  {
    name: 'dependencies_loopback',
    traces: [[span('1', '', 'SERVER', 'frontend'), span('2', '1', 'CLIENT', 'frontend', 'frontend')]],
    zipkin: ['frontend → frontend'],
  },
  { name: 'dependencies_headlessTrace', traces: [SHOP.slice(1)], zipkin: SHOP_LINKS },
  {
    name: 'notInstrumentedClientAndServer',
    traces: [
      [
        span('20', '', 'SERVER', 'frontend', 'kafka'),
        span('21', '20', 'CLIENT', 'frontend'),
        span('21', '20', 'SERVER', 'backend', '', { shared: true }),
        span('22', '21', 'CLIENT', 'backend', 'db'),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend', 'kafka → frontend'],
  },
  {
    name: 'instrumentedClientAndServer',
    traces: [
      [
        span('10', '', 'CLIENT', 'frontend'),
        span('10', '', 'SERVER', 'backend', '', { shared: true }),
        span('11', '10', 'CLIENT', 'backend', 'db'),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend'],
  },
  {
    name: 'instrumentedProducerAndConsumer',
    traces: [[span('10', '', 'PRODUCER', 'frontend', 'kafka'), span('11', '10', 'CONSUMER', 'backend', 'kafka')]],
    zipkin: ['frontend → kafka', 'kafka → backend'],
  },
  {
    name: 'missingIntermediateSpan',
    traces: [[span('20', '', 'SERVER', 'frontend'), span('22', '21', 'CLIENT', 'backend')]],
    zipkin: ['frontend → backend'],
    accurate: [],
    why: 'that the root called whoever lost its parent is a guess',
  },
  {
    name: 'spanKindIsNotRequiredWhenEndpointsArePresent',
    traces: [
      [
        span('20', '', '', 'kafka', 'frontend'),
        span('21', '20', '', 'frontend', 'backend'),
        span('22', '21', '', 'backend', 'db'),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend', 'kafka → frontend'],
  },
  {
    name: 'unnamedEndpointsAreSkipped',
    traces: [
      [
        span('20', '', '', '', 'frontend', { ip: '192.0.2.4' }),
        span('21', '20', '', 'frontend', 'backend'),
        span('22', '21', '', 'backend', 'db'),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend'],
    accurate: ['backend → db', 'frontend → backend', 'unknown_service → frontend'],
    why: NAMELESS,
  },
  {
    name: 'intermediateSpans',
    traces: [
      [
        span('20', '', 'SERVER', 'frontend'),
        span('21', '20', '', 'frontend'),
        span('22', '21', 'CLIENT', 'frontend'),
        span('22', '21', 'SERVER', 'backend', '', { shared: true }),
        span('23', '22', '', 'backend'),
        span('24', '23', '', 'backend'),
        span('25', '24', 'CLIENT', 'backend', 'db'),
      ],
    ],
    zipkin: ['backend → db', 'frontend → backend'],
  },
  {
    // What is left of it here: that an address which is the span's own names no peer is the codec's matter.
    name: 'duplicateAddress',
    traces: [[span('20', '', 'SERVER', 'frontend'), span('22', '21', 'CLIENT', 'frontend', 'backend')]],
    zipkin: ['frontend → backend'],
  },
  {
    name: 'oneway',
    traces: [
      [
        span('10', '', 'CLIENT', 'frontend', '', { duration: 0 }),
        span('10', '', 'SERVER', 'backend', '', { duration: 0, shared: true }),
      ],
    ],
    zipkin: ['frontend → backend'],
  },
  {
    name: 'annotationNamedErrorIsntError',
    traces: [
      [
        span('10', '', 'CLIENT', 'frontend'),
        span('10', '', 'SERVER', 'backend', '', { annotation: 'error', shared: true }),
      ],
    ],
    zipkin: ['frontend → backend'],
  },
  {
    name: 'oneway_noClient',
    traces: [[span('10', '', 'SERVER', 'backend', 'kafka'), span('11', '10', '', 'backend')]],
    zipkin: ['kafka → backend'],
  },
];
