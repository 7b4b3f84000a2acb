import { type Fields, isObject } from '../fields.ts';
import { type Condition, type Sampling, type SamplingRule, type TextPattern, textPattern } from './rules.ts';

/** @param fields of `sampling`, as README.md describes it. Mistakes are gathered there. */
export function readSampling(fields: Fields): Sampling {
  const rules = fields.list('rules').map((_, i) => readRule(fields.item('rules', i)));
  const rest = fields.inner('rest');
  const last = { name: 'rest', conditions: [], ...readShare(rest, 0) };
  rest.refuseOthers();
  const weightAttribute = fields.text('weightAttribute', {
    pattern: /^[\w.-]{0,200}$/,
    allowed: 'the name of an attribute, or empty for none',
    fallback: 'sampling.weight',
  });
  fields.refuseOthers();
  return { rules: [...rules, last], weightAttribute };
}

function readRule(fields: Fields): SamplingRule {
  const name = fields.text('name', { pattern: /^[a-z0-9][a-z0-9-]{0,39}$/, allowed: '1 to 40 of a-z, 0-9 and dashes' });
  const rule = { name, conditions: readConditions(fields.inner('when')), ...readShare(fields, 1) };
  if (rule.conditions.length === 0) fields.mistake('when', 'has no condition; what fits all traces is `rest`');
  fields.refuseOthers();
  return rule;
}

function readShare(fields: Fields, ratio: number): Pick<SamplingRule, 'ratio' | 'tracesPerSecondMax'> {
  const limit = { min: 0.001, max: 1e6, fallback: 1 };
  return {
    ratio: fields.number('ratio', { min: 0, max: 1, fallback: ratio }),
    tracesPerSecondMax: fields.has('tracesPerSecondMax') ? fields.number('tracesPerSecondMax', limit) : undefined,
  };
}

function readConditions(fields: Fields): Condition[] {
  const conditions: Condition[] = [];
  if (fields.flag('error', false)) conditions.push({ kind: 'error' });
  const quantile = fields.optionalText('slowerThan', { pattern: /^p\d{2}(\.\d{1,2})?$/, allowed: 'p50 to p99.99' });
  if (quantile !== undefined && quantile !== '') {
    conditions.push({ kind: 'slow', quantile: Number(quantile.slice(1)) / 100 });
  }
  if (fields.has('longerThanMs')) {
    const ms = fields.integer('longerThanMs', { min: 1, max: 86_400_000, fallback: 1 });
    conditions.push({ kind: 'longer', nanos: BigInt(ms) * 1_000_000n });
  }
  if (fields.flag('openIncident', false)) conditions.push({ kind: 'incident' });
  const services = patternsOf(fields, 'service');
  const operations = patternsOf(fields, 'operation');
  const inner = fields.inner('attributes');
  const attributes = inner.entries().map(([key]) => ({ key, values: patternsOf(inner, key) }));
  if (attributes.length > ATTRIBUTES_MAX) fields.mistake('attributes', `must be at most ${ATTRIBUTES_MAX}`);
  if (attributes.some(({ key }) => !/^[\x21-\x7e]{1,200}$/.test(key))) {
    fields.mistake('attributes', 'must be named in ASCII without spaces');
  }
  if (services.length + operations.length + attributes.length > 0) {
    conditions.push({ kind: 'span', span: { services, operations, attributes } });
  }
  fields.refuseOthers();
  return conditions;
}

/** One text or a list of them; numbers and booleans stand for how they are written. */
function patternsOf(fields: Fields, name: string): TextPattern[] {
  const value = fields.raw(name);
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.some((item) => item === null || isObject(item) || Array.isArray(item))) {
    fields.mistake(name, 'must be a text, with * for anything, or a list of texts');
    return [];
  }
  return list.map((item) => textPattern(String(item)));
}

/** What readers of attributes take, with room for our own. */
const ATTRIBUTES_MAX = 20;
