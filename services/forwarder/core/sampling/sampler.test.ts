import { describe, expect, it } from '@jest/globals';
import { type Incident, incidentCodec } from '../../../../lib/codec/incident-records.ts';
import type { AssembledTrace } from '../../../../lib/codec/records.ts';
import { assembledTrace } from '../../../../lib/testkit/assembled-trace.ts';
import { incidentRecord } from '../../../../lib/testkit/incident-record.ts';
import { otlp, type SpanLiteral } from '../../../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../../../lib/testkit/traffic/random.ts';
import { Fields, type Mistake } from '../fields.ts';
import { IncidentBook } from './open-incidents.ts';
import { readSampling } from './read-sampling.ts';
import { Sampler } from './sampler.ts';
import { readOtState, weightOf } from './threshold.ts';

const NO_STATE = readOtState('');
const NO_INCIDENTS = { concerns: () => false };
const seeded = new SeededRandom(7);
const random = () => seeded.float();

const hexId = () => Buffer.from(seeded.bytes(16)).toString('hex');

function sampler(sampling: object, incidents: { concerns(trace: AssembledTrace): boolean } = NO_INCIDENTS): Sampler {
  const mistakes: Mistake[] = [];
  const read = readSampling(new Fields(sampling, [], mistakes));
  expect(mistakes).toEqual([]);
  return new Sampler(read, { partitions: 1, tracesRememberedMax: 1_000, incidents: incidents as typeof NO_INCIDENTS });
}

function trace(fields: Partial<AssembledTrace> = {}, spans: readonly SpanLiteral[] = [{ id: 1 }]): AssembledTrace {
  const traceId = fields.traceId ?? hexId();
  const bytes = otlp([{ service: 'web', resource: { 'k8s.namespace.name': 'prod' }, spans }], { trace: traceId });
  return assembledTrace(bytes, { rootService: 'web', rootOperation: 'GET /', ...fields, traceId });
}

/** One of many: its spans are those of all others, so that thousands cost little. */
const ONE = trace();
const light = (fields: Partial<AssembledTrace> = {}): AssembledTrace => ({ ...ONE, traceId: hexId(), ...fields });

const rule = (when: object, fields: object = {}) => ({ rules: [{ name: 'rule', when, ...fields }] });
const LOWEST = '0'.repeat(31).concat('1');

describe('Sampler', () => {
  it.each<[string, object, AssembledTrace, boolean]>([
    ['an error', { error: true }, trace({ errorCount: 1 }), true],
    ['no error', { error: true }, trace(), false],
    ['a long trace', { longerThanMs: 10 }, trace({ durationNano: 10_000_001n }), true],
    ['a short trace', { longerThanMs: 10 }, trace({ durationNano: 10_000_000n }), false],
    ['its service', { service: ['app', 'w*'] }, trace(), true],
    ['another service', { service: 'app' }, trace(), false],
    ['its operation', { operation: 'GET /h*' }, trace({}, [{ id: 1 }, { id: 2, name: 'GET /health' }]), true],
    ['an attribute', { attributes: { n: 7 } }, trace({}, [{ id: 1 }, { id: 2, attributes: { n: 7 } }]), true],
    ['another value', { attributes: { n: [6, '*8'] } }, trace({}, [{ id: 2, attributes: { n: 7 } }]), false],
    ['no value', { attributes: { n: '*' } }, trace(), false],
    ['an attribute of the resource', { attributes: { 'k8s.namespace.name': 'prod' } }, trace(), true],
    [
      'all of it in one span',
      { operation: 'a', attributes: { n: 7 } },
      trace({}, [{ id: 1, name: 'a', attributes: { n: 7 } }]),
      true,
    ],
    [
      'all of it in two spans',
      { operation: 'a', attributes: { n: 7 } },
      trace({}, [
        { id: 1, name: 'a' },
        { id: 2, attributes: { n: 7 } },
      ]),
      false,
    ],
    ['one of two conditions', { error: true, longerThanMs: 10 }, trace({ errorCount: 1 }), false],
  ])('finds %s', (_, when, given, kept) => {
    expect(sampler(rule(when)).decide(given, 0, NO_STATE)).toMatchObject({ kept, rule: kept ? 'rule' : 'rest' });
  });

  it('goes by the first rule that fits, also when that one drops', () => {
    const rules = [
      { name: 'health', when: { operation: 'GET /health' }, ratio: 0 },
      { name: 'errors', when: { error: true } },
    ];
    const health = trace({ errorCount: 1 }, [{ id: 1, name: 'GET /health' }]);
    expect(sampler({ rules }).decide(health, 0, NO_STATE)).toMatchObject({ kept: false, rule: 'health' });
  });

  it('keeps a share of the rest by trace id, and says what it stands for', () => {
    const made = sampler({ rest: { ratio: 0.25 } });
    expect(made.decide(trace({ traceId: LOWEST }), 0, NO_STATE).kept).toBe(false);
    expect(made.decide(trace({ traceId: 'f'.repeat(32) }), 0, NO_STATE).kept).toBe(true);
    const weights = Array.from({ length: 4_000 }, () => made.decide(light(), 0, NO_STATE))
      .filter(({ kept }) => kept)
      .map(({ threshold }) => weightOf(threshold));
    expect(new Set(weights)).toEqual(new Set([4]));
    // Four standard deviations.
    expect(Math.abs(weights.length - 1_000)).toBeLessThan(4 * Math.sqrt(4_000 * 0.25 * 0.75));
  });

  it('lets late spans follow their trace, whatever they hold', () => {
    const made = sampler(rule({ error: true }));
    const [failed, fine] = [trace({ errorCount: 1 }), trace({ traceId: LOWEST })];
    expect(made.decide(failed, 0, NO_STATE).kept).toBe(true);
    expect(made.decide(fine, 0, NO_STATE).kept).toBe(false);
    expect(made.decide({ ...failed, revision: 2, errorCount: 0 }, 1, NO_STATE).kept).toBe(true);
    expect(made.decide({ ...fine, revision: 2, errorCount: 1 }, 1, NO_STATE).kept).toBe(false);
  });

  it('remembers no more traces than it may, and the newest of them', () => {
    const made = sampler(rule({ error: true }));
    const first = trace({ traceId: LOWEST });
    made.decide(first, 0, NO_STATE);
    for (let i = 0; i < 499; i++) made.decide(light(), 0, NO_STATE);
    expect(made.decide({ ...first, errorCount: 1 }, 0, NO_STATE).kept).toBe(false);
    for (let i = 0; i < 1_000; i++) made.decide(light(), 0, NO_STATE);
    expect(made.decide({ ...first, errorCount: 1 }, 0, NO_STATE).kept).toBe(true);
  });

  it('keeps what is slower than the 99th percentile of its own operation, about one in a hundred', () => {
    const made = sampler(rule({ slowerThan: 'p99' }));
    const shapes = { fast: 1e6, slow: 1e8 };
    const kept = { fast: 0, slow: 0 };
    for (let i = 0; i < 8_000; i++) {
      const name = i % 2 === 0 ? 'fast' : 'slow';
      const durationNano = BigInt(Math.round(shapes[name] * -Math.log(1 - random())));
      const decision = made.decide(light({ rootOperation: name, durationNano }), i, NO_STATE);
      if (decision.rule === 'rule') kept[name]++;
    }
    for (const count of Object.values(kept)) {
      expect(count).toBeGreaterThan(4);
      expect(count).toBeLessThan(60);
    }
    expect(made.decide(trace({ rootOperation: 'fast', durationNano: 50_000_000n }), 8_000, NO_STATE).kept).toBe(true);
    expect(made.decide(trace({ rootOperation: 'new', durationNano: 50_000_000n }), 8_000, NO_STATE).kept).toBe(false);
  });

  it('takes nothing for slow where everything takes the same', () => {
    const made = sampler(rule({ slowerThan: 'p90' }));
    const rules = Array.from(
      { length: 500 },
      (_, i) => made.decide(light({ durationNano: 100_000_000n + BigInt(i % 3) }), i, NO_STATE).rule,
    );
    expect(new Set(rules)).toEqual(new Set(['rest']));
  });

  it('holds a limit through a jump of traffic, and weights still add up to what came', () => {
    const made = sampler({ rest: { ratio: 1, tracesPerSecondMax: 50 } });
    const perSecond: number[] = [];
    let weighed = 0;
    let came = 0;
    for (let second = 0; second < 20; second++) {
      const count = second < 10 ? 40 : 1_000;
      let kept = 0;
      for (let i = 0; i < count; i++) {
        came++;
        const decision = made.decide(light(), second * 1_000 + (i * 1_000) / count, NO_STATE);
        if (!decision.kept) continue;
        kept++;
        weighed += weightOf(decision.threshold);
      }
      perSecond.push(kept);
    }
    expect(perSecond.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 40));
    expect(perSecond[10]).toBeLessThan(50 * (1 + Math.log(20)) * 1.5);
    for (const kept of perSecond.slice(11)) expect(kept).toBeLessThan(50 * 1.6);
    expect(weighed / came).toBeGreaterThan(0.85);
    expect(weighed / came).toBeLessThan(1.15);
  });

  it('keeps traces of what an open incident blames, and its examples, until it is over', () => {
    const book = new IncidentBook();
    const incident = incidentRecord({ incidentId: 'i', state: 'open' });
    const cause = { ...incident.cause, kind: 'service', service: 'shop', peerKind: 'service' };
    const blamed = { ...incident, cause, exemplars: [{ ...EXEMPLAR, traceId: 'e'.repeat(32) }] };
    const made = sampler(rule({ openIncident: true }), book);
    const through = () => trace({ services: [{ service: 'shop', spanCount: 1, errorCount: 0 }] });
    expect(made.decide(through(), 0, NO_STATE).kept).toBe(false);
    book.take('i', incidentCodec.decode(incidentCodec.encode(blamed)));
    expect(made.decide(through(), 0, NO_STATE)).toMatchObject({ kept: true, rule: 'rule' });
    expect(made.decide(trace(), 0, NO_STATE).kept).toBe(false);
    expect(made.decide(trace({ traceId: 'e'.repeat(32) }), 0, NO_STATE).kept).toBe(true);
    book.take('i', { ...blamed, state: 'resolved' });
    expect(made.decide(through(), 0, NO_STATE).kept).toBe(false);
    book.take('i', blamed);
    book.take('i', undefined);
    expect(book.size).toBe(0);
  });
});

const EXEMPLAR = { traceId: '', originSpanId: '', entryService: '', entryOperation: '', archivedUrl: '' };

describe('IncidentBook', () => {
  const passing = (...services: string[]) => ({
    traceId: 'a'.repeat(32),
    services: services.map((service) => ({ service, spanCount: 1, errorCount: 0 })),
  });
  it.each<[string, Partial<Incident['cause']>, Partial<Incident>, string[], string[]]>([
    ['a service: who passes it', { kind: 'service', service: 'shop', caller: 'web' }, {}, ['shop'], ['web']],
    ['a database, which sends no spans: who passes its caller', {}, {}, ['backend-service'], ['database']],
    ['a peer of many callers: who passes the one on the path', { caller: '' }, {}, ['backend-service'], ['web']],
    [
      'a way between two services: who passes both',
      { kind: 'edge', service: 'shop', caller: 'web', peerKind: 'service' },
      {},
      ['web', 'shop'],
      ['shop'],
    ],
    ['nothing: who passes what fired', { kind: 'service', service: '' }, {}, ['api-gateway'], ['web']],
  ])('is about traces of what is blamed: %s', (_, cause, fields, about, notAbout) => {
    const book = new IncidentBook();
    const incident = incidentRecord(fields);
    book.take('i', { ...incident, cause: { ...incident.cause, ...cause } });
    expect(book.concerns(passing('gateway', ...about))).toBe(true);
    expect(book.concerns(passing('gateway', ...notAbout))).toBe(false);
  });
});

describe('readSampling', () => {
  it.each<[string, object, string]>([
    ['a rule without condition', { rules: [{ name: 'a', when: {} }] }, 'rules.0.when has no condition'],
    ['a rule without name', { rules: [{ when: { error: true } }] }, 'rules.0.name is missing'],
    ['a share above one', { rest: { ratio: 5 } }, 'rest.ratio must be a number from 0 to 1'],
    ['no percentile', { rules: [{ name: 'a', when: { slowerThan: 99 } }] }, 'rules.0.when.slowerThan must be p50 to'],
    [
      'a misspelt condition',
      { rules: [{ name: 'a', when: { errors: true } }] },
      'rules.0.when.errors is not known here',
    ],
    ['a value that is none', { rules: [{ name: 'a', when: { service: {} } }] }, 'rules.0.when.service must be a text'],
    [
      'a key that is none',
      { rules: [{ name: 'a', when: { attributes: { 'a b': 1 } } }] },
      'rules.0.when.attributes must be',
    ],
    ['something else', { keep: [] }, 'keep is not known here; there are rest, rules, weightAttribute'],
  ])('refuses %s', (_, declared, sentence) => {
    const mistakes: Mistake[] = [];
    readSampling(new Fields(declared, [], mistakes));
    expect(mistakes.map(({ path, what }) => `${path.join('.')} ${what}`).join('\n')).toContain(sentence);
  });
});
