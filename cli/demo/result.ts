import type { Incident } from '../../lib/codec/incident-records.ts';
import type { Observed } from './observed.ts';

/** The last line of `demo --once --json`. Names and order are part of the command's contract. */
export interface DemoResult {
  /** Spans sent to the ingest topic. */
  readonly spansIn: number;
  /** Distinct traces on spanloom.traces. */
  readonly tracesOut: number;
  readonly tracesComplete: number;
  readonly edges: readonly {
    readonly client: string;
    readonly server: string;
    readonly connectionType: string;
    readonly calls: number;
    readonly errors: number;
  }[];
  readonly incidents: readonly {
    readonly state: string;
    /** The service, database or other peer where the errors began. */
    readonly cause: string;
    readonly blastRadius: {
      readonly services: readonly string[];
      readonly entryOperations: readonly {
        readonly service: string;
        readonly operation: string;
        readonly affected: number;
        readonly total: number;
      }[];
    };
  }[];
  readonly archive: { readonly objects: number; readonly spans: number };
  readonly deadLetters: number;
}

export function demoResult(
  spansIn: number,
  observed: Observed,
  archive: { readonly objects: number; readonly spans: number },
): DemoResult {
  return {
    spansIn,
    tracesOut: observed.traces,
    tracesComplete: observed.completeTraces,
    edges: observed.edges.edges().map(({ client, server, connectionType, calls, errors }) => ({
      client,
      server,
      connectionType,
      calls,
      errors,
    })),
    incidents: [...observed.incidents.values()].filter(({ mergedInto }) => mergedInto === '').map(incidentResult),
    archive,
    deadLetters: observed.deadLetters.size,
  };
}

function incidentResult(incident: Incident): DemoResult['incidents'][number] {
  return {
    state: incident.state,
    cause: incident.cause.service,
    blastRadius: {
      services: incident.blast.upstreamServices,
      entryOperations: incident.blast.entryOperations.map(({ service, operation, affected, total }) => ({
        service,
        operation,
        affected,
        total,
      })),
    },
  };
}
