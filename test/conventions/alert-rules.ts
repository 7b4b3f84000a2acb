import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ERROR_CODES } from '../../lib/errors/codes.ts';
import { ROOT } from './sources.ts';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Names that docs/metrics.md has, with the series that Prometheus makes of histograms. */
export type Documented = ReadonlySet<string>;

/** Every alert of operations/prometheus/. Recording rules define names of their own and are no alerts. */
export function alertRules(): AlertRule[] {
  return ruleFiles().flatMap(({ groups }) =>
    groups.flatMap(({ rules }) => rules.filter((rule): rule is AlertRule => 'alert' in rule)),
  );
}

export function documented(): Documented {
  const page = readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8');
  const services = [...page.matchAll(/^## ([a-z]+(?:-[a-z]+)*)$/gm)].map(([, name = '']) => name.replaceAll('-', '_'));
  const names = new Set<string>(['up', ...recorded()]);
  for (const [, name = '', kind = ''] of page.matchAll(/^\| `([\w<>]+)` \| (\w+) \|/gm)) {
    for (const own of name.includes('<service>') ? services.map((of) => name.replace('<service>', of)) : [name]) {
      names.add(own);
      if (kind === 'histogram') for (const part of ['_bucket', '_sum', '_count']) names.add(own + part);
    }
  }
  return names;
}

/** Sentences about a rule that can never fire or that leads nowhere. */
export function ruleProblems(rule: AlertRule, names: Documented, runbook: string): string[] {
  const problems = expressionProblems(rule.expr, names);
  const { severity } = rule.labels ?? {};
  if (severity !== 'page' && severity !== 'ticket') problems.push(`severity is ${severity}, neither page nor ticket`);
  if (rule.for !== undefined && !/^\d+[smhd]$/.test(rule.for)) problems.push(`'${rule.for}' is no duration`);
  if (!rule.annotations?.['summary']) problems.push('has no summary');
  const anchor = rule.alert.toLowerCase();
  if (rule.annotations?.['runbook'] !== `operations/runbook.md#${anchor}`) {
    problems.push(`its runbook is not operations/runbook.md#${anchor}`);
  }
  if (!runbook.split('\n').includes(`## ${rule.alert}`)) problems.push(`the runbook has no heading ${rule.alert}`);
  return problems.map((problem) => `${rule.alert}: ${problem}`);
}

/** Sentences about an expression that is no PromQL, or that asks for a metric or an error code that there is not. */
export function expressionProblems(expr: string, names: Documented): string[] {
  const problems: string[] = [];
  const textOf = ({ from, to }: { from: number; to: number }) => expr.slice(from, to);
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) problems.push(`is no PromQL near '${expr.slice(node.from, node.from + 30)}'`);
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector' && !names.has(textOf(node))) {
        problems.push(`there is no metric ${textOf(node)}`);
      }
      if (node.name !== 'UnquotedLabelMatcher') return;
      const [, label, operator, value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s.exec(textOf(node)) ?? [];
      const values = operator === '=~' || operator === '!~' ? value.split('|') : [value];
      if (label === '__name__') {
        const pattern = new RegExp(`^(?:${value})$`);
        if (![...names].some((name) => pattern.test(name))) problems.push(`no metric matches ${value}`);
      }
      if (label !== 'code') return;
      for (const code of values) if (ERROR_CODES[code] === undefined) problems.push(`there is no code ${code}`);
    },
  });
  return problems;
}

function recorded(): string[] {
  return ruleFiles().flatMap(({ groups }) =>
    groups.flatMap(({ rules }) => rules.flatMap((rule) => ('record' in rule ? [rule.record] : []))),
  );
}

function ruleFiles(): RuleFile[] {
  return globSync('operations/prometheus/*.yaml', { cwd: ROOT }).map(
    (file) => parse(readFileSync(path.join(ROOT, file), 'utf8')) as RuleFile,
  );
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly (AlertRule | { readonly record: string })[] }[];
}
