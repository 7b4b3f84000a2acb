import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type AlertRule, alertRules, type Documented, documented, ruleProblems } from './alert-rules.ts';
import { ROOT } from './sources.ts';

const runbook = readFileSync(path.join(ROOT, 'operations/runbook.md'), 'utf8');
const known = documented();
const rules = alertRules();

describe('the alert rules of operations/', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s can fire and has its place in the runbook',
    (_, rule) => {
      expect(ruleProblems(rule, known, runbook)).toEqual([]);
    },
  );

  it('have one heading of the runbook each, and no heading is without a rule', () => {
    const headings = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(headings.sort()).toEqual(rules.map(({ alert }) => alert).sort());
    expect(rules.length).toBeGreaterThan(10);
  });
});

describe('ruleProblems', () => {
  const good: AlertRule = {
    alert: 'SpanloomLagHigh',
    expr: 'max(spanloom_archiver_lag_seconds) > 1',
    labels: { severity: 'page' },
    annotations: { summary: 'x', runbook: 'operations/runbook.md#spanloomlaghigh' },
  };
  const problemsOf = (change: Partial<AlertRule>) =>
    ruleProblems({ ...good, ...change }, known as Documented, '## SpanloomLagHigh\n');

  it('finds nothing in a good rule', () => expect(problemsOf({})).toEqual([]));

  it.each<[string, Partial<AlertRule>, RegExp]>([
    ['what is no PromQL', { expr: 'sum by job) (x)' }, /is no PromQL/],
    ['an unknown metric', { expr: 'spanloom_archiver_lag_minutes > 1' }, /no metric spanloom_archiver_lag_minutes/],
    ['a name pattern that nothing matches', { expr: '{__name__=~"spanloom_x_.*"} > 1' }, /no metric matches/],
    ['an unknown error code', { expr: 'spanloom_archiver_errors_total{code="S3_GONE"} > 1' }, /no code S3_GONE/],
    ['a missing anchor', { annotations: { ...good.annotations, runbook: 'operations/runbook.md#x' } }, /runbook/],
    ['an unknown severity', { labels: { severity: 'panic' } }, /severity/],
    ['a duration that is none', { for: '5 minutes' }, /duration/],
  ])('finds %s', (_, change, problem) => expect(problemsOf(change).join('\n')).toMatch(problem));
});
