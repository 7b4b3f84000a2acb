import type { ResourceLiteral } from '../../../../lib/testkit/otlp-builder.ts';
import { EPOCH_MS } from '../../../../lib/testkit/otlp-builder.ts';
import type { GraphMode } from '../trace-fold.ts';
import { LIMITS, LiteralFold } from './fold-literal.ts';

/** A span in Zipkin's words: a lower-case hex id, its parent's, its kind, the names of its service and of its peer. */
export interface ZipkinLiteral {
  readonly id: string;
  readonly parent?: string | undefined;
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER' | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  readonly ip?: string;
  readonly port?: number;
  readonly shared?: true;
  /** An `error` tag; true: an empty one. */
  readonly error?: true | string;
  /** An annotation. */
  readonly annotation?: string;
  readonly trace?: string;
  /** Milliseconds after the epoch of literals. */
  readonly start?: number;
  readonly duration?: number;
}

type Rest = Omit<ZipkinLiteral, 'id' | 'parent' | 'kind' | 'local' | 'remote'>;

/** `span('b', 'a', 'CLIENT', 'web', 'app')`; `''` where a span says nothing. */
export function span(
  id: string,
  parent: string,
  kind: ZipkinLiteral['kind'] | '',
  local = '',
  remote = '',
  rest: Rest = {},
): ZipkinLiteral {
  return {
    id,
    parent: parent || undefined,
    kind: kind || undefined,
    local: local || undefined,
    remote: remote || undefined,
    ...rest,
  };
}

/** As a codec gives it on: each span in a resource of its own. */
export function toOtlp(spans: readonly ZipkinLiteral[]): ResourceLiteral[] {
  return spans.map((one) => ({
    ...(one.local === undefined ? {} : { service: one.local }),
    spans: [
      {
        id: one.id.padStart(16, '0'),
        ...(one.parent === undefined ? {} : { parent: one.parent.padStart(16, '0') }),
        kind: one.kind === undefined ? 'unspecified' : KINDS[one.kind],
        name: 'get',
        start: one.start ?? 0,
        duration: one.duration ?? 1,
        ...(one.trace === undefined ? {} : { trace: one.trace.padStart(32, '0') }),
        ...(one.annotation === undefined ? {} : { events: [{ name: one.annotation }] }),
        attributes: {
          ...(one.remote === undefined ? {} : { 'peer.service': one.remote }),
          ...(one.ip === undefined ? {} : { 'network.local.address': one.ip }),
          ...(one.port === undefined ? {} : { 'network.local.port': one.port }),
          ...(one.shared === undefined ? {} : { 'zipkin.shared': true }),
          ...(one.error === undefined ? {} : { error: one.error === true ? '' : one.error }),
        },
      },
    ],
  }));
}

const KINDS = { CLIENT: 'client', SERVER: 'server', PRODUCER: 'producer', CONSUMER: 'consumer' } as const;

/** Start of a span whose start is not known: 1970. */
export const UNKNOWN_START = -EPOCH_MS;

/**
 * Who called whom in these traces, summed over everything but names: `web → app 2 calls 1 error`. Calls of the user,
 * which Zipkin does not know, are left out.
 */
export function linksOf(traces: readonly (readonly ZipkinLiteral[])[], mode: GraphMode): string[] {
  const fold = new LiteralFold(LIMITS, mode);
  for (const trace of traces) fold.add(toOtlp(trace));
  const links = new Map<string, { calls: number; errors: number }>();
  for (const { client, server, calls, errors } of fold.records('edge')) {
    if (client === 'user') continue;
    const link = links.get(`${client} → ${server}`) ?? { calls: 0, errors: 0 };
    links.set(`${client} → ${server}`, { calls: link.calls + calls, errors: link.errors + errors });
  }
  return [...links]
    .map(([names, { calls, errors }]) => {
      const counts = `${calls === 1 ? '' : ` ${calls} calls`}${errors === 0 ? '' : ` ${errors} error${errors > 1 ? 's' : ''}`}`;
      return `${names}${counts}`;
    })
    .sort();
}
