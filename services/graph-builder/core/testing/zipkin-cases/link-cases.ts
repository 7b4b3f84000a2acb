import { span, type ZipkinLiteral } from '../zipkin-literal.ts';
import { type LinkCase, NAMELESS } from './case.ts';

const CALLED_BY_WEB: readonly ZipkinLiteral[] = [
  span('c', 'b', 'CLIENT', 'app', 'db', { error: true }),
  span('b', 'a', 'SERVER', 'app', 'web', { shared: true }),
  span('b', 'a', 'CLIENT', 'web', 'app'),
  span('a', '', 'SERVER', 'web'),
];
const CALLED_BY_WEB_LINKS = ['app → db 1 error', 'web → app'];
const NAMED_ONCE = 'one broker is between the two, whichever of them names it';
const DIRECTLY = 'the one depends on the other, whatever is between them: an edge of connection type messaging_system';
const ONE_CALL =
  'both spans may stem from one request to the server whose span is missing; one call rather than too many';

/** C. What counts as a call: DependencyLinkerTest. */
export const LINK_CASES: readonly LinkCase[] = [
  { name: 'baseCase', traces: [], zipkin: [] },
  { name: 'linksSpans', traces: [CALLED_BY_WEB], zipkin: CALLED_BY_WEB_LINKS },
  {
    name: 'traceIdIsOpaque',
    traces: [CALLED_BY_WEB.map((one) => ({ ...one, trace: '123' }))],
    zipkin: CALLED_BY_WEB_LINKS,
  },
  {
    name: 'linksSpans_serverMissingParentId',
    traces: [
      [
        span('b', '', 'SERVER', 'link', 'arn', { shared: true }),
        span('b', 'a', 'CLIENT', 'arn', 'link'),
        span('a', '', 'SERVER', 'arn'),
      ],
    ],
    zipkin: ['arn → link'],
  },
  {
    name: 'lateParentIdInSharedSpan',
    traces: [CALLED_BY_WEB.map((one, i) => (i === 1 ? { ...one, parent: undefined } : one))],
    zipkin: CALLED_BY_WEB_LINKS,
  },
  {
    name: 'lostChildAndNoParentIdInSharedSpan',
    traces: [
      [
        span('c', 'b', 'CLIENT', 'app', 'db', { error: true }),
        span('b', '', 'SERVER', 'app', 'web', { shared: true }),
        span('a', '', 'SERVER', 'web'),
      ],
    ],
    zipkin: CALLED_BY_WEB_LINKS,
  },
  {
    name: 'messagingSpansDontLinkWithoutBroker_consumer',
    traces: [[span('a', '', 'PRODUCER', 'producer'), span('b', 'a', 'CONSUMER', 'consumer', 'kafka')]],
    zipkin: ['kafka → consumer'],
    accurate: ['kafka → consumer', 'producer → kafka'],
    why: NAMED_ONCE,
  },
  {
    name: 'messagingSpansDontLinkWithoutBroker_producer',
    traces: [[span('a', '', 'PRODUCER', 'producer', 'kafka'), span('b', 'a', 'CONSUMER', 'consumer')]],
    zipkin: ['producer → kafka'],
    accurate: ['kafka → consumer', 'producer → kafka'],
    why: NAMED_ONCE,
  },
  {
    name: 'messagingWithBroker_both_sides_same',
    traces: [[span('a', '', 'PRODUCER', 'producer', 'kafka'), span('b', 'a', 'CONSUMER', 'consumer', 'kafka')]],
    zipkin: ['kafka → consumer', 'producer → kafka'],
  },
  {
    name: 'messagingWithBroker_different',
    traces: [[span('a', '', 'PRODUCER', 'producer', 'kafka1'), span('b', 'a', 'CONSUMER', 'consumer', 'kafka2')]],
    zipkin: ['kafka2 → consumer', 'producer → kafka1'],
  },
  {
    name: 'messagingWithoutBroker_noLinks',
    traces: [[span('a', '', 'PRODUCER', 'producer'), span('b', 'a', 'CONSUMER', 'consumer')]],
    zipkin: [],
    accurate: ['producer → consumer'],
    why: DIRECTLY,
  },
  {
    name: 'producerLinksToServer_childSpan',
    traces: [[span('a', '', 'PRODUCER', 'producer'), span('b', 'a', 'SERVER', 'server')]],
    zipkin: ['producer → server'],
  },
  {
    name: 'producerLinksToServer_sameSpan',
    traces: [[span('a', '', 'PRODUCER', 'producer'), span('a', '', 'SERVER', 'server', '', { shared: true })]],
    zipkin: ['producer → server'],
  },
  {
    name: 'clientDoesntLinkToConsumer_child',
    traces: [[span('a', '', 'CLIENT', 'client'), span('b', 'a', 'CONSUMER', 'consumer')]],
    zipkin: [],
    accurate: ['client → consumer'],
    why: DIRECTLY,
  },
  {
    name: 'linksSpansDirectedByKind',
    traces: [
      [span('a', '', 'SERVER', 'server', 'client')],
      [span('a', '', 'CLIENT', 'client', 'server', { shared: true })],
    ],
    zipkin: ['client → server 2 calls'],
  },
  {
    name: 'callsAgainstTheSameLinkIncreasesCallCount_span',
    traces: [
      [
        span('a', '', 'SERVER', 'client'),
        span('b', 'a', 'CLIENT', '', 'server'),
        span('c', 'a', 'CLIENT', '', 'server'),
      ],
    ],
    zipkin: ['client → server 2 calls'],
  },
  {
    name: 'callsAgainstTheSameLinkIncreasesCallCount_trace',
    traces: [
      [span('a', '', 'SERVER', 'client'), span('b', 'a', 'CLIENT', '', 'server')],
      [span('a', '', 'SERVER', 'client'), span('b', 'a', 'CLIENT', '', 'server')],
    ],
    zipkin: ['client → server 2 calls'],
  },
  {
    name: 'singleHostSpansResultInASingleCallCount',
    traces: [[span('a', '', 'CLIENT', 'client'), span('b', 'a', 'SERVER', 'server')]],
    zipkin: ['client → server'],
  },
  {
    name: 'singleHostSpansResultInASingleErrorCount',
    traces: [
      [span('a', '', 'CLIENT', 'client', '', { error: true }), span('b', 'a', 'SERVER', 'server', '', { error: true })],
    ],
    zipkin: ['client → server 1 error'],
  },
  {
    name: 'singleHostSpansResultInASingleErrorCount_sameId',
    traces: [
      [
        span('a', '', 'CLIENT', 'client', '', { error: true }),
        span('a', '', 'SERVER', 'server', '', { error: true, shared: true }),
      ],
    ],
    zipkin: ['client → server 1 error'],
  },
  {
    name: 'singleHostSpansResultInASingleCallCount_defersNameToServer',
    traces: [[span('a', '', 'CLIENT', 'client', 'other-name'), span('b', 'a', 'SERVER', 'server')]],
    zipkin: ['client → server'],
  },
  {
    name: 'singleHostSpans_multipleChildren',
    traces: [
      [
        span('a', '', 'CLIENT', 'client'),
        span('b', 'a', 'SERVER', 'server', 'client', { error: true }),
        span('c', 'a', 'SERVER', 'server', 'client'),
      ],
    ],
    zipkin: ['client → server 2 calls 1 error'],
  },
  {
    name: 'singleHostSpans_multipleChildren_defersNameToServer',
    traces: [
      [
        span('a', '', 'CLIENT', 'client', 'other-name'),
        span('b', 'a', 'SERVER', 'server'),
        span('c', 'a', 'SERVER', 'server'),
      ],
    ],
    zipkin: ['client → server 2 calls'],
  },
  {
    name: 'intermediatedClientSpansMissingLocalServiceNameLinkToNearestServer',
    traces: [
      [
        span('a', '', 'SERVER', 'client'),
        span('b', 'a', ''),
        span('c', 'b', 'CLIENT', 'server'),
        span('d', 'b', 'CLIENT', 'server'),
      ],
    ],
    zipkin: ['client → server 2 calls'],
    accurate: ['client → server'],
    why: ONE_CALL,
  },
  {
    name: 'errorsOnUninstrumentedLinks',
    traces: [
      [
        span('a', '', 'SERVER', 'client'),
        span('b', 'a', ''),
        span('c', 'b', 'CLIENT', 'server', '', { error: true }),
        span('d', 'b', 'CLIENT', 'server', '', { error: true }),
      ],
    ],
    zipkin: ['client → server 2 calls'],
    accurate: ['client → server'],
    why: ONE_CALL,
  },
  {
    name: 'errorsOnInstrumentedLinks',
    traces: [
      [
        span('a', '', 'SERVER', 'foo'),
        span('b', 'a', ''),
        span('c', 'b', 'CLIENT', 'bar', 'baz', { error: true }),
        span('d', 'b', 'CLIENT', 'bar', 'baz'),
      ],
    ],
    zipkin: ['bar → baz 2 calls 1 error', 'foo → bar 2 calls'],
    accurate: ['bar → baz 2 calls 1 error', 'foo → bar'],
    why: ONE_CALL,
  },
  {
    name: 'linkWithErrorIsLogged',
    traces: [[span('c', 'b', 'CLIENT', 'foo', 'bar', { error: true })]],
    zipkin: ['foo → bar 1 error'],
  },
  {
    name: 'annotationNamedErrorDoesntIncrementErrorCount',
    traces: [[span('c', 'b', 'CLIENT', 'foo', 'bar', { annotation: 'error' })]],
    zipkin: ['foo → bar'],
  },
  {
    name: 'linksLoopbackSpans',
    traces: [[span('a', '', 'SERVER', 'service', 'service')], [span('b', '', 'CLIENT', 'service', 'service')]],
    zipkin: ['service → service 2 calls'],
  },
  {
    name: 'noSpanKindTreatedSameAsClient',
    traces: [
      [span('a', '', '', 'some-client', 'web'), span('b', 'a', '', 'web', 'app'), span('c', 'b', '', 'app', 'db')],
    ],
    zipkin: ['app → db', 'some-client → web', 'web → app'],
  },
  {
    name: 'noSpanKindWithError',
    traces: [
      [
        span('a', '', '', 'some-client', 'web'),
        span('b', 'a', '', 'web', 'app', { error: true }),
        span('c', 'b', '', 'app', 'db'),
      ],
    ],
    zipkin: ['app → db', 'some-client → web', 'web → app 1 error'],
  },
  {
    name: 'cannotLinkSingleSpanWithoutBothServiceNames',
    traces: [
      [span('a', '', 'SERVER')],
      [span('a', '', 'SERVER', 'server')],
      [span('a', '', 'SERVER', '', 'client')],
      [span('a', '', 'CLIENT')],
      [span('a', '', 'CLIENT', 'client')],
      [span('a', '', 'CLIENT', '', 'server')],
    ],
    zipkin: [],
    accurate: ['client → unknown_service', 'unknown_service → server'],
    why: NAMELESS,
  },
  {
    name: 'doesntLinkUnrelatedSpansWhenMissingRootSpan',
    traces: [[span('b', 'a', 'SERVER', 'service1'), span('c', 'a', 'SERVER', 'service2')]],
    zipkin: [],
  },
  {
    name: 'linksRelatedSpansWhenMissingRootSpan',
    traces: [[span('b', 'a', 'SERVER', 'service1'), span('c', 'b', 'SERVER', 'service2')]],
    zipkin: ['service1 → service2'],
  },
  {
    name: 'linksSingleHostSpans',
    traces: [[span('a', '', 'CLIENT', 'web'), span('b', 'a', 'SERVER', 'app')]],
    zipkin: ['web → app'],
  },
  {
    name: 'linksSingleHostSpans_errorOnClient',
    traces: [[span('a', '', 'CLIENT', 'web', '', { error: true }), span('b', 'a', 'SERVER', 'app')]],
    zipkin: ['web → app 1 error'],
  },
  {
    name: 'missingSpan',
    traces: [[span('a', '', 'SERVER', 'web'), span('b', 'a', 'CLIENT', 'app')]],
    zipkin: ['web → app'],
  },
  {
    name: 'merge',
    traces: [
      ['bar', true],
      ['bar', true],
      ['bar', true],
      ['bar', false],
      ['foo', false],
    ].map(([peer, fails]) => [span('a', '', 'CLIENT', 'foo', String(peer), fails === true ? { error: true } : {})]),
    zipkin: ['foo → bar 4 calls 3 errors', 'foo → foo'],
  },
  {
    name: 'merge_error',
    traces: ['server', 'server', 'client', 'server', 'server'].map((peer) => [span('a', '', 'CLIENT', 'client', peer)]),
    zipkin: ['client → client', 'client → server 4 calls'],
  },
];
