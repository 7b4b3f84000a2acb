import { expect, it } from '@jest/globals';
import { matchTopics } from './topic-patterns.ts';

const EXISTING = ['otlp_spans', 'otlp_spans_eu', 'zipkin', '__consumer_offsets', 'my.otlp_spans'];

it.each([
  [['otlp_spans'], ['otlp_spans']],
  [['not-there-yet'], ['not-there-yet']],
  [['/otlp_.*/'], ['otlp_spans', 'otlp_spans_eu']],
  [['/otlp_spans|zipkin/'], ['otlp_spans', 'zipkin']],
  [['/.*/'], ['my.otlp_spans', 'otlp_spans', 'otlp_spans_eu', 'zipkin']],
  [['zipkin', '/zip.*/', 'zipkin'], ['zipkin']],
  [[], []],
])('%j means %j', (wanted, topics) => {
  expect(matchTopics(wanted, EXISTING)).toEqual(topics);
});
