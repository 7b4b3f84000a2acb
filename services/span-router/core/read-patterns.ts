import { PATTERN_ACTIONS, patternMistake, type ValuePattern } from './value-patterns.ts';

/** @param declared a list of objects, as read from YAML or JSON. @returns the patterns, or a sentence for each mistake. */
export function readPatterns(declared: unknown): { patterns: ValuePattern[]; mistakes: string[] } {
  if (!Array.isArray(declared)) return { patterns: [], mistakes: ['it must be a list of patterns'] };
  const mistakes = declared.flatMap((item, i) => mistakesOf(item).map((what) => `[${i}] ${what}`));
  if (declared.length > PATTERNS_MAX) mistakes.push(`it must have at most ${PATTERNS_MAX} patterns`);
  const names = declared.map((item) => (item as { name?: unknown } | null)?.name);
  for (const [i, name] of names.entries()) if (names.indexOf(name) < i) mistakes.push(`[${i}].name is taken`);
  const patterns = mistakes.length > 0 ? [] : (declared as Partial<ValuePattern>[]).map(withDefaults);
  return { patterns, mistakes };
}

function mistakesOf(item: unknown): string[] {
  if (typeof item !== 'object' || item === null) return ['must have name, pattern and action'];
  const { name, pattern, action = 'mask', ...others } = item as Record<string, unknown>;
  const mistakes = Object.keys(others).map((key) => `does not take ${key}`);
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,39}$/.test(name)) {
    mistakes.push('must have a name: 1 to 40 of a-z, 0-9, dashes and underscores');
  }
  const mistake = typeof pattern === 'string' ? patternMistake(pattern) : 'is none: it is missing, or no text';
  if (mistake !== undefined) mistakes.push(`has a pattern that ${mistake}`);
  if (!PATTERN_ACTIONS.some((known) => known === action)) {
    mistakes.push(`has an action that is not one of ${PATTERN_ACTIONS.join(', ')}`);
  }
  return mistakes;
}

function withDefaults({ name = '', pattern = '', action = 'mask' }: Partial<ValuePattern>): ValuePattern {
  return { name, pattern, action };
}

/** Each costs a pass over what fits; all together are one automaton, whose size is bounded. */
const PATTERNS_MAX = 50;
