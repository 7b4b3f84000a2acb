import { describe, expect, it } from '@jest/globals';
import { incidentRecord } from '../../lib/testkit/incident-record.ts';
import type { SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import { differences, type RunToCheck } from './check-run.ts';
import { edgeDelta, traceRecord } from './fixtures.ts';
import { Observed } from './observed.ts';

/** The checker is shown pipelines that lose, repeat, invent and misjudge; it must see each of it. */
describe('differences', () => {
  const SPANS: SpanLiteral[] = [{ id: 1 }, { id: 2, parent: 1 }];
  const SENT = new Set([key(1, 1), key(1, 2), key(2, 1), key(2, 2)]);

  function run(spoil: (observed: Observed, archived: Map<string, number>) => void, dataKept = false): string[] {
    const observed = new Observed(true);
    const archived = new Map([...SENT].map((span) => [span, 1]));
    spoil(observed, archived);
    const edges = [{ client: 'backend-service', server: 'database', connectionType: 'database', calls: 9, errors: 3 }];
    const check: RunToCheck = { sent: SENT, edges, observed, archived, cause: 'database', dataKept };
    return differences(check);
  }

  function perfect(observed: Observed): void {
    observed.trace(traceRecord(1, SPANS));
    observed.trace(traceRecord(2, SPANS));
    observed.edge(edgeDelta({ calls: 5, errors: 3 }));
    observed.edge(edgeDelta({ calls: 4 }));
    observed.incident(incidentRecord());
  }

  it('finds none when everything is right, also when a trace came in two revisions', () => {
    expect(run(perfect)).toEqual([]);
    expect(
      run((observed) => {
        observed.trace(traceRecord(1, SPANS.slice(0, 1), { complete: false }));
        observed.trace(traceRecord(1, SPANS.slice(1), { revision: 2 }));
        observed.trace(traceRecord(2, SPANS));
        observed.edge(edgeDelta({ calls: 9, errors: 3 }));
        observed.incident(incidentRecord());
      }),
    ).toEqual([]);
  });

  it('sees a span that is missing in the traces, stands there twice, or was never sent', () => {
    const observe = (spans: readonly SpanLiteral[]) => (observed: Observed) => {
      perfect(observed);
      observed.trace(traceRecord(3, spans));
    };
    expect(run(observe([{ id: 1 }]))).toEqual([`1 spans in the traces were never sent, for example ${key(3, 1)}.`]);
    expect(run(observe([{ id: 1 }]), true)).toEqual([]);
    expect(
      run((observed) => {
        perfect(observed);
        observed.trace(traceRecord(1, SPANS.slice(0, 1), { revision: 2 }));
      }),
    ).toEqual([`1 spans stand in the traces more than once, for example ${key(1, 1)}.`]);
    expect(
      run((observed) => {
        observed.trace(traceRecord(1, SPANS));
        observed.edge(edgeDelta({ calls: 9, errors: 3 }));
        observed.incident(incidentRecord());
      }),
    ).toEqual([`2 of the 4 spans sent are missing in the traces, for example ${key(2, 1)}, ${key(2, 2)}.`]);
  });

  it('sees the same of the archive', () => {
    expect(
      run((observed, archived) => {
        perfect(observed);
        archived.set(key(1, 1), 2);
        archived.delete(key(2, 2));
      }),
    ).toEqual([
      `1 of the 4 spans sent are missing in the archive, for example ${key(2, 2)}.`,
      `1 spans stand in the archive more than once, for example ${key(1, 1)}.`,
    ]);
  });

  it('sees a trace record that contradicts itself', () => {
    const sentences = run((observed) => {
      perfect(observed);
      observed.trace({ ...traceRecord(2, []), spanCount: 1 });
    });
    expect(sentences).toEqual([`Trace ${'2'.padStart(32, '0')} says 1 spans and holds 0`]);
  });

  it('sees edges that count wrongly, are missing or are invented', () => {
    expect(
      run((observed) => {
        perfect(observed);
        observed.edge(edgeDelta({ calls: 0, errors: -1 }));
        observed.edge(edgeDelta({ server: 'cache', calls: 2 }));
      }),
    ).toEqual([
      'The edge backend-service → database (database) had 9 calls and 3 errors; the graph has 9 calls and 2 errors.',
      'The graph has an edge backend-service → cache (database) that was never called.',
    ]);
  });

  it('sees that no incident was opened, that one blames another, or that its radius is empty', () => {
    const withIncident = (change: (observed: Observed) => void) =>
      run((observed) => {
        perfect(observed);
        observed.incidents.clear();
        change(observed);
      });
    expect(withIncident(() => {})).toEqual(['No incident was opened; database failed.']);
    const cause = { ...incidentRecord().cause, service: 'cache' };
    expect(withIncident((observed) => observed.incident(incidentRecord({ cause })))).toEqual([
      'Incident 00f067aa0ba902b7 blames cache; it was database.',
    ]);
    const blast = { ...incidentRecord().blast, entryOperations: [] };
    expect(withIncident((observed) => observed.incident(incidentRecord({ blast })))).toEqual([
      'Incident 00f067aa0ba902b7 names no entry operation that was hit.',
    ]);
  });

  it('takes the newest announcement of an incident, whatever order they come in, and skips merged ones', () => {
    const cause = { ...incidentRecord().cause, service: 'cache' };
    expect(
      run((observed) => {
        perfect(observed);
        observed.incidents.clear();
        observed.incident(incidentRecord({ seq: 2 }));
        observed.incident(incidentRecord({ seq: 1, cause }));
        observed.incident(incidentRecord({ incidentId: 'b7ad6b7169203331', cause, mergedInto: '00f067aa0ba902b7' }));
      }),
    ).toEqual([]);
  });

  it('sees dead letters, each once', () => {
    const letter = {
      topic: 'otlp_spans',
      partition: 0,
      offset: 4,
      index: null,
      reason: 'truncated',
      code: 'OTLP_TRUNCATED',
      detail: '',
      size: 3,
      sha256: '',
      encoding: 'unknown',
      service: 'span-router',
      time: 0,
      payload: null,
    };
    expect(
      run((observed) => {
        perfect(observed);
        observed.deadLetter(letter);
        observed.deadLetter(letter);
      }),
    ).toEqual(['1 dead letters were written; every span sent was a good one.']);
  });
});

function key(trace: number, span: number): string {
  return `${trace.toString(16).padStart(32, '0')}/${span.toString(16).padStart(16, '0')}`;
}
