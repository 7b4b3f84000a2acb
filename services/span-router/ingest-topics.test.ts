import { describe, expect, it } from '@jest/globals';
import { encodingOf, INGEST_TOPIC, ingestTopics } from './ingest-topics.ts';

const ITEMS = ['otlp_spans', '/zipkin.*/=zipkin_json', 'zipkin-old=zipkin_thrift', '/.*-jaeger/=jaeger_proto'];

describe('INGEST_TOPICS', () => {
  it.each([
    ['otlp_spans', 'auto'],
    ['zipkin', 'zipkin_json'],
    ['zipkin-old', 'zipkin_thrift'],
    ['eu-jaeger', 'jaeger_proto'],
    ['anything', 'auto'],
  ])('a record of %s is read as %s', (topic, encoding) => {
    expect(encodingOf(topic, ITEMS, 'auto')).toBe(encoding);
  });

  it('falls back on INGEST_ENCODING for topics that name none', () => {
    expect(encodingOf('otlp_spans', ITEMS, 'otlp_json')).toBe('otlp_json');
  });

  it('gives topics without their encodings to the consumer group', () => {
    expect(ingestTopics(ITEMS)).toEqual(['otlp_spans', '/zipkin.*/', 'zipkin-old', '/.*-jaeger/']);
  });

  it.each(['zipkin=xml', 'zip kin', '=otlp_json', 'zipkin='])('refuses %s', (item) => {
    expect(INGEST_TOPIC.test(item)).toBe(false);
  });
});
