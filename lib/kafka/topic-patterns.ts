/**
 * Which topics a list of names and `/patterns/` means.
 *
 * A name stands for itself, also while no such topic exists; a pattern between slashes is a JavaScript regular expression
 * that the whole name must match. Kafka's internal topics (`__…`) match no pattern.
 */
export function matchTopics(wanted: readonly string[], existing: Iterable<string>): string[] {
  const patterns = wanted.filter(isPattern).map((text) => new RegExp(`^(?:${text.slice(1, -1)})$`, 'u'));
  const topics = new Set(wanted.filter((text) => !isPattern(text)));
  for (const topic of existing) {
    if (!topic.startsWith('__') && patterns.some((pattern) => pattern.test(topic))) topics.add(topic);
  }
  return [...topics].sort();
}

export function isPattern(text: string): boolean {
  return text.length > 2 && text.startsWith('/') && text.endsWith('/');
}
