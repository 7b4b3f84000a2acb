import { incidentCodec } from '../../lib/codec/incident-records.ts';
import { assembledTraceCodec, deadLetterCodec, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import type { Colours } from '../colours.ts';
import { deadLetterLine, edgeLine, incidentText, traceLine } from './human.ts';
import { deadLetterJson, edgeJson, incidentJson, traceJson } from './json.ts';

/** What can be tailed: the topic, and a record of it for programs and for people. */
export interface TailedTopic {
  readonly name: TailedName;
  /** Key in `topicNames(prefix)`. */
  readonly topic: 'traces' | 'serviceEdges' | 'incidents' | 'deadLetters';
  /** One JSON object on one line. */
  json(value: Buffer): string;
  human(value: Buffer, colours: Colours, columns: number): string;
}

export const TAILED_NAMES = ['traces', 'service-edges', 'incidents', 'dead-letters'] as const;
export type TailedName = (typeof TAILED_NAMES)[number];

export const TAILED_TOPICS: readonly TailedTopic[] = [
  {
    name: 'traces',
    topic: 'traces',
    json: (value) => traceJson(assembledTraceCodec.decode(value)),
    human: (value, colours) => traceLine(assembledTraceCodec.decode(value), colours),
  },
  {
    name: 'service-edges',
    topic: 'serviceEdges',
    json: (value) => edgeJson(serviceEdgeDeltaCodec.decode(value)),
    human: (value, colours) => edgeLine(serviceEdgeDeltaCodec.decode(value), colours),
  },
  {
    name: 'incidents',
    topic: 'incidents',
    json: (value) => incidentJson(incidentCodec.decode(value)),
    human: (value, colours, columns) => incidentText(incidentCodec.decode(value), colours, columns),
  },
  {
    name: 'dead-letters',
    topic: 'deadLetters',
    json: (value) => deadLetterJson(deadLetterCodec.decode(value)),
    human: (value, colours) => deadLetterLine(deadLetterCodec.decode(value), colours),
  },
];
