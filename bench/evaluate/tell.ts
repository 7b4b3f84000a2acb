import { type CauseFigures, figuresOf, ofClasses } from './cause/figures.ts';
import type { ScenarioOutcome } from './cause/run-scenario.ts';
import { FAULT_CLASSES } from './cause/scenario.ts';
import type { DetectorFigures, Trials } from './detector.ts';
import type { Estimate } from './estimate.ts';

export function tellDetector(figures: DetectorFigures): string {
  return [
    `False alerts per edge-day (${figures.edgeDays} edge-days each): ${interval(figures.falseAlertsPerEdgeDay, 4)}`,
    `  with overdispersed errors (rho 0.005): ${interval(figures.falseAlertsPerEdgeDayOverdispersed, 4)}`,
    `+30 points at 5 rps:   ${trials(figures.plus30at5rps)}`,
    `+30 points at 0.5 rps: ${trials(figures.plus30atHalfRps)}`,
    `+10 points at 5 rps:   ${trials(figures.plus10at5rps)}`,
    '',
    '',
  ].join('\n');
}

/** A line per fault class, then error faults together, then the simple rules beside them. */
export function tellCause(scenarios: readonly ScenarioOutcome[]): string {
  const error = figuresOf(ofClasses(scenarios, (faultClass) => faultClass !== 'latency'));
  const lines = FAULT_CLASSES.map((faultClass) => {
    const own = ofClasses(scenarios, (other) => other === faultClass);
    return row(faultClass, figuresOf(own));
  });
  return [
    [
      cell('fault', 20),
      ...['n', 'found', 'AC@1', 'AC@3', 'first', 'delay', 'inc.', 'P', 'R', 'F1'].map((h) => cell(h)),
    ].join(''),
    ...lines,
    row('all but latency', error),
    '',
    'n faults; found: an incident was opened; AC@1, AC@3: the cause is right, is among the first three; first: right in',
    'the first announcement; delay: median seconds from the first request hit; inc.: incidents per fault;',
    'P, R, F1: precision and recall of the blast radius (entry operations and services).',
    '',
    'All but latency, with 95 % intervals:',
    `  AC@1 ${interval(error.at1)}, AC@3 ${interval(error.at3)}, in the first announcement ${interval(error.at1AtFirst)}`,
    `  blast radius F1 ${interval(error.radius.f1)}, requests told for each that was hit ${error.requestsRatio.toFixed(3)}`,
    `  incidents per fault ${error.incidentsPerFault.toFixed(2)}`,
    `  the version of a deploy is named ${interval(error.versionNamed)}`,
    'Most error spans:',
    `  AC@1 ${interval(error.mostErrorSpans.at1)}, AC@3 ${interval(error.mostErrorSpans.at3)}`,
    'More than 5 % errors on an edge:',
    `  AC@1 ${interval(error.staticRule.at1)}, AC@3 ${interval(error.staticRule.at3)}, ${error.staticRule.alertsPerFault.toFixed(1)} alerts per fault`,
    '',
  ].join('\n');
}

function row(name: string, figures: CauseFigures): string {
  const { faults, detected, at1, at3, at1AtFirst, medianDelayS, incidentsPerFault, radius } = figures;
  const numbers = [detected.value, at1.value, at3.value, at1AtFirst.value].map((value) => cell(value.toFixed(2)));
  const { precision, recall, f1 } = radius;
  return [
    cell(name, 20),
    cell(String(faults)),
    ...numbers,
    cell(Number.isFinite(medianDelayS) ? `${medianDelayS.toFixed(0)} s` : '-'),
    cell(incidentsPerFault.toFixed(2)),
    ...[precision, recall, f1.value].map((value) => cell(Number.isNaN(value) ? '-' : value.toFixed(2))),
  ].join('');
}

function trials({ recall, medianDelayS }: Trials): string {
  return `recall ${interval(recall, 4)}, median delay ${medianDelayS.toFixed(1)} s`;
}

function interval({ value, low, high }: Estimate, digits = 3): string {
  return `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

function cell(text: string, width = 8): string {
  return width > 8 ? text.padEnd(width) : text.padStart(width);
}
