import type { Incident } from '../core/api-types.ts';
import { count, percent } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { Text } from '../ui/text.tsx';

export function WhoIsHit({ whole }: { whole: Incident }) {
  const { entryOperations, maskedRequests, during, incident } = whole;
  const time = {
    span: Math.max(60, Math.ceil((during.toMs - during.fromMs) / 1_000)),
    until: incident.active ? 0 : during.toMs,
  };
  return (
    <>
      <table class="data">
        <caption class="hidden">Entry operations with failed requests</caption>
        <thead>
          <tr>
            <th scope="col">entry operation</th>
            <th scope="col">share that failed</th>
            <th scope="col" class="number">
              failed
            </th>
            <th scope="col" class="number">
              of
            </th>
          </tr>
        </thead>
        <tbody>
          {entryOperations.map((entry) => (
            <tr key={`${entry.service}\u0000${entry.operation}`}>
              <td>
                <a
                  class="link"
                  href={hrefOf('search', { ...time, service: entry.service, operation: entry.operation, errors: true })}
                >
                  <Text of={entry.service} max={40} /> <Text of={entry.operation} max={60} />
                </a>
              </td>
              <td>
                <span class="measure wide">
                  <span class="track-of">
                    <i class="failing" style={{ width: `${entry.share * 100}%` }} />
                  </span>
                  {percent(entry.share)}
                </span>
              </td>
              <td class="number">{count(entry.affected)}</td>
              <td class="number">{count(entry.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {maskedRequests > 0 && (
        <p class="faint">
          {count(maskedRequests)} further requests met the error and succeeded all the same, by a retry or a fallback.
        </p>
      )}
    </>
  );
}

export function ErrorTable({ whole }: { whole: Incident }) {
  const { errorSignatures } = whole;
  const all = Math.max(1, ...errorSignatures.map(({ traces }) => traces));
  if (errorSignatures.length === 0) return <p class="faint">The spans do not say what the errors were.</p>;
  return (
    <table class="plain">
      <thead class="hidden">
        <tr>
          <th scope="col">error</th>
          <th scope="col">traces</th>
        </tr>
      </thead>
      <tbody>
        {errorSignatures.map(({ signature, traces }) => (
          <tr key={signature}>
            <td>
              <code>
                <Text of={signature} max={160} />
              </code>
            </td>
            <td class="number">
              <span class="measure">
                <span class="track-of">
                  <i class="failing" style={{ width: `${(traces / all) * 100}%` }} />
                </span>
                {count(traces)}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
