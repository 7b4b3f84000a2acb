/**
 * The cases by which openzipkin/zipkin tests its dependency graph, by the name they have there. Each is a row of the
 * tables beside this file, in literals of our own, or a test in zipkin-rules.test.ts, or has no counterpart here.
 */
/** Cases there that have no counterpart here, and why. */
export const NOT_OURS: Readonly<Record<string, string>> = {
  addChild_nullNotAllowed: 'there is no call to give a null to: the tree is columns of row numbers',
  logsTraceId: 'it is about a log line; which trace a record was made of is in its exemplars',
  looksBackIndefinitely: 'the graph-builder answers no queries: how far one looks back is the reader’s and retention’s',
  endTimeBeforeData: 'the graph-builder answers no queries: a reader takes the windows that it wants',
  lookbackAfterData: 'the graph-builder answers no queries: a reader takes the windows that it wants',
  endTsAndLookbackMustBePositive: 'the graph-builder answers no queries',
};

/** All of them, as they are named there. */
export const ZIPKIN_TEST_NAMES = {
  TraceTest: [
    ...['backfillsMissingParentIdOnSharedSpan', 'backfillsMissingSharedFlag', 'choosesBestTraceId'],
    ...['mergesWhenMissingEndpoints', 'doesntMergeSharedSpansOnDifferentIPs', 'putsRandomDataOnFirstSpanWithEndpoint'],
    ...['mergesIncompleteEndpoints', 'deletesSelfReferencingParentId', 'worksWhenMissingParentSpan'],
    ...['cleanupComparator_ordersClientFirst', 'cleanupComparator_transitiveKindComparison'],
  ],
  SpanNodeTest: [
    ...['addChild_nullNotAllowed', 'addChild_selfNotAllowed', 'build_redundantIgnored', 'traversesBreadthFirst'],
    ...['constructsTraceTree', 'constructsTraceTree_sharedId', 'constructsTraceTree_sharedRootId'],
    'constructsTraceTree_qualifiesChildrenOfDuplicateServerSpans',
    'constructsTraceTree_qualifiesChildrenOfDuplicateServerSpans_mixedShared',
    ...['constructsTraceTree_dedupes', 'constructsTraceTree_duplicateRoots', 'build_noChildLeftBehind'],
    ...['build_headless', 'build_outOfOrder', 'addNode_skipsOnCycle', 'build_skewedTrace'],
    ...['ordersChildrenByTimestamp', 'build_changingIps'],
  ],
  DependencyLinkerTest: [
    ...['baseCase', 'linksSpans', 'traceIdIsOpaque', 'linksSpans_serverMissingParentId', 'logsTraceId'],
    ...['lateParentIdInSharedSpan', 'lostChildAndNoParentIdInSharedSpan'],
    ...['messagingSpansDontLinkWithoutBroker_consumer', 'messagingSpansDontLinkWithoutBroker_producer'],
    ...['messagingWithBroker_both_sides_same', 'messagingWithBroker_different', 'messagingWithoutBroker_noLinks'],
    ...['producerLinksToServer_childSpan', 'producerLinksToServer_sameSpan', 'clientDoesntLinkToConsumer_child'],
    ...['linksSpansDirectedByKind', 'callsAgainstTheSameLinkIncreasesCallCount_span'],
    ...['callsAgainstTheSameLinkIncreasesCallCount_trace', 'singleHostSpansResultInASingleCallCount'],
    ...['singleHostSpansResultInASingleErrorCount', 'singleHostSpansResultInASingleErrorCount_sameId'],
    'singleHostSpansResultInASingleCallCount_defersNameToServer',
    ...['singleHostSpans_multipleChildren', 'singleHostSpans_multipleChildren_defersNameToServer'],
    'intermediatedClientSpansMissingLocalServiceNameLinkToNearestServer',
    ...['errorsOnUninstrumentedLinks', 'errorsOnInstrumentedLinks', 'linkWithErrorIsLogged'],
    ...['annotationNamedErrorDoesntIncrementErrorCount', 'linksLoopbackSpans', 'noSpanKindTreatedSameAsClient'],
    ...['noSpanKindWithError', 'cannotLinkSingleSpanWithoutBothServiceNames'],
    ...['doesntLinkUnrelatedSpansWhenMissingRootSpan', 'linksRelatedSpansWhenMissingRootSpan'],
    ...['linksSingleHostSpans', 'linksSingleHostSpans_errorOnClient', 'missingSpan', 'merge', 'merge_error'],
  ],
  ITDependencies: [
    ...['getDependencies', 'getDependencies_linksMixedTraceId', 'replayOverwrites', 'empty'],
    ...['getDependenciesAllInstrumented', 'dependencies_loopback', 'dependencies_headlessTrace'],
    ...['looksBackIndefinitely', 'endTsInsideTheTrace', 'endTimeBeforeData', 'lookbackAfterData'],
    ...['notInstrumentedClientAndServer', 'endTsAndLookbackMustBePositive', 'instrumentedClientAndServer'],
    ...['instrumentedProducerAndConsumer', 'missingIntermediateSpan', 'canSearchForIntervalsBesidesToday'],
    ...['spanKindIsNotRequiredWhenEndpointsArePresent', 'unnamedEndpointsAreSkipped', 'intermediateSpans'],
    ...['duplicateAddress', 'oneway', 'annotationNamedErrorIsntError', 'oneway_noClient'],
  ],
  ITDependenciesHeavy: ['manyLinks'],
} as const;
