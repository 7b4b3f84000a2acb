import { describe, expect, it } from '@jest/globals';
import { convert } from '../../testkit/formats/convert.ts';
import { encodeForeign } from '../../testkit/formats/proto-reference.ts';
import { otlpFromOpenCensus } from './opencensus.ts';

const TRACE = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex');
const ID = Buffer.from('b7ad6b7169203331', 'hex');

function spans(request: object) {
  return convert(otlpFromOpenCensus, encodeForeign('CensusRequest', request));
}

describe("OpenCensus' request", () => {
  it('keeps every field', () => {
    const [span] = spans({
      node: {
        identifier: { hostName: 'h1', pid: 42, startTimestamp: { seconds: '5' } },
        libraryInfo: { language: 6, exporterVersion: '0.1', coreLibraryVersion: '0.2' },
        serviceInfo: { name: 'web' },
        attributes: { zone: 'a' },
      },
      resource: { type: 'host', labels: { rack: 'r1' } },
      spans: [
        {
          traceId: TRACE,
          spanId: ID,
          parentSpanId: ID,
          tracestate: {
            entries: [
              { key: 'a', value: '1' },
              { key: 'b', value: '2' },
            ],
          },
          name: { value: 'op' },
          kind: 1,
          startTime: { seconds: '7', nanos: 8 },
          endTime: { seconds: '9' },
          attributes: {
            attributeMap: {
              s: { stringValue: { value: 't' } },
              i: { intValue: '-3' },
              b: { boolValue: true },
              d: { doubleValue: 0.5 },
            },
            droppedAttributesCount: 4,
          },
          stackTrace: {
            stackFrames: { frame: [{ functionName: { value: 'f' }, fileName: { value: 'a.ts' }, lineNumber: '3' }] },
          },
          timeEvents: {
            timeEvent: [
              {
                time: { seconds: '7' },
                annotation: {
                  description: { value: 'note' },
                  attributes: { attributeMap: { k: { boolValue: true } } },
                },
              },
              {
                time: { seconds: '8' },
                messageEvent: { type: 1, id: '11', uncompressedSize: '12', compressedSize: '13' },
              },
            ],
            droppedAnnotationsCount: 1,
            droppedMessageEventsCount: 2,
          },
          links: { link: [{ traceId: TRACE, spanId: ID, type: 2, attributes: {} }], droppedLinksCount: 6 },
          status: { code: 4, message: 'late' },
          sameProcessAsParentSpan: { value: true },
          childSpanCount: { value: 5 },
        },
      ],
    });
    expect(span).toMatchObject({
      name: 'op',
      kind: 2,
      traceState: 'a=1,b=2',
      startTimeUnixNano: '7000000008',
      endTimeUnixNano: '9000000000',
      resource: {
        'service.name': 'web',
        'host.name': 'h1',
        'process.pid': '42',
        'opencensus.start_time_unix_nano': '5000000000',
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.version': '0.2',
        'opencensus.exporter_version': '0.1',
        'opencensus.resource_type': 'host',
        zone: 'a',
        rack: 'r1',
      },
      attributes: {
        s: 't',
        i: '-3',
        b: true,
        d: 0.5,
        'code.stacktrace': 'at f (a.ts:3)',
        'opencensus.status_code': '4',
        'opencensus.same_process_as_parent': true,
        'opencensus.child_span_count': '5',
      },
      droppedAttributesCount: 4,
      events: [
        { name: 'note', attributes: { k: true } },
        {
          name: 'message',
          attributes: {
            'message.type': 'SENT',
            'message.id': '11',
            'message.uncompressed_size': '12',
            'message.compressed_size': '13',
          },
        },
      ],
      droppedEventsCount: 3,
      links: [{ attributes: { 'opencensus.link_type': 'PARENT_LINKED_SPAN' } }],
      droppedLinksCount: 6,
      status: { code: 2, message: 'late' },
    });
  });

  it("prefers a span's own resource to that of the request", () => {
    const found = spans({
      node: { serviceInfo: { name: 'web' } },
      resource: { labels: { rack: 'r1' } },
      spans: [
        { traceId: TRACE, spanId: ID },
        { traceId: TRACE, spanId: ID, resource: { labels: { rack: 'r2' } } },
      ],
    });
    expect(found.map(({ resource }) => resource)).toEqual([
      { 'service.name': 'web', rack: 'r1' },
      { 'service.name': 'web', rack: 'r2' },
    ]);
  });
});
