import { isPattern, matchTopics } from '../../lib/kafka/topic-patterns.ts';
import { ENCODINGS, type Encoding } from './core/decode.ts';

/** What an item of INGEST_TOPICS may be: a topic's name or a /regular expression/, and how its records are encoded. */
export const INGEST_TOPIC = new RegExp(`^(\\/.+\\/|[A-Za-z0-9._-]{1,249})(=(${ENCODINGS.join('|')}))?$`);

/** The topics and expressions of the items, without encodings. */
export function ingestTopics(items: readonly string[]): string[] {
  return items.map((item) => split(item).topic);
}

/** How a topic's records are encoded: as the first item says that means it, by name before by expression. */
export function encodingOf(topic: string, items: readonly string[], fallback: Encoding): Encoding {
  const parts = items.map(split);
  const found =
    parts.find((part) => part.topic === topic) ??
    parts.find((part) => isPattern(part.topic) && matchTopics([part.topic], [topic]).length > 0);
  return found?.encoding ?? fallback;
}

function split(item: string): { topic: string; encoding: Encoding | undefined } {
  const match = INGEST_TOPIC.exec(item);
  if (match === null) throw new Error(`${item} is no item of INGEST_TOPICS`);
  return { topic: match[1] as string, encoding: match[3] as Encoding | undefined };
}
