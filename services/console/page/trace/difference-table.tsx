import { useMemo } from 'preact/hooks';
import type { TraceModel } from '../core/trace-model.ts';
import { compareTimes, type OperationTimes, operationTimes } from '../core/trace-statistics.ts';
import { nanos } from '../core/trace-warnings.ts';
import { Text } from '../ui/text.tsx';

const SHOWN_MAX = 15;

interface DifferenceTableProps {
  readonly here: TraceModel;
  readonly other: TraceModel;
  readonly hereWord: string;
  readonly otherWord: string;
}

/** Operations by how differently they behaved: new errors first, then the largest difference of self time. */
export function DifferenceTable({ here, other, hereWord, otherWord }: DifferenceTableProps) {
  const rows = useMemo(
    () =>
      compareTimes(operationTimes(here.tree, here.self), operationTimes(other.tree, other.self)).slice(0, SHOWN_MAX),
    [here, other],
  );
  const most = Math.max(1, ...rows.map(({ moreNs }) => Math.abs(moreNs)));
  return (
    <table class="data">
      <caption>What differs</caption>
      <thead>
        <tr>
          <th scope="col">service</th>
          <th scope="col">operation</th>
          <th scope="col" class="number">
            self time {hereWord}
          </th>
          <th scope="col" class="number">
            self time {otherWord}
          </th>
          <th scope="col">difference</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.service}\u0000${row.operation}`}>
            <td>
              <Text of={row.service} max={40} />
            </td>
            <td>
              <Text of={row.operation} max={80} />
            </td>
            <td class="number">{told(row.here)}</td>
            <td class="number">{told(row.other)}</td>
            <td>
              <span class={`difference ${row.moreNs > 0 ? 'more' : 'less'}`}>
                <span class="half">
                  <i style={{ width: `${(Math.abs(row.moreNs) / most) * 100}%` }} />
                </span>
                <b>
                  {row.moreNs > 0 ? '+' : ''}
                  {nanos(row.moreNs)}
                </b>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function told(times: OperationTimes | undefined) {
  if (times === undefined) return <span class="faint">not there</span>;
  return (
    <>
      {nanos(times.selfNs)}
      {times.spans > 1 && <span class="faint"> in {times.spans}</span>}
      {times.failed > 0 && <b class="strong failing"> {times.failed} ✕</b>}
    </>
  );
}
