import { useMemo, useState } from 'preact/hooks';
import { count } from '../core/format.ts';
import { type OperationTimes, operationTimes } from '../core/trace-statistics.ts';
import { nanos } from '../core/trace-warnings.ts';
import { type Column, SortedTable } from '../ui/sorted-table.tsx';
import { Text } from '../ui/text.tsx';
import type { TraceViewProps } from './trace-page.tsx';

/** Where the time went, by service and operation. */
export function Statistics({ model, onChange }: TraceViewProps) {
  const [sort, setSort] = useState('');
  const rows = useMemo(() => operationTimes(model.tree, model.self, model.pathNs), [model]);
  const most = Math.max(1, ...rows.map(({ selfNs }) => selfNs));
  const columns: readonly Column<OperationTimes>[] = [
    {
      key: 'service',
      title: 'service',
      by: (row) => row.service,
      cell: (row) => (
        <span class="nowrap">
          <i class={`swatch-service s${model.colourOf.get(row.service) ?? 0}`} /> <Text of={row.service} max={40} />
        </span>
      ),
    },
    {
      key: 'operation',
      title: 'operation',
      by: (row) => row.operation,
      cell: (row) => (
        <button
          type="button"
          class="link"
          onClick={() => onChange({ tab: 'waterfall', find: row.operation.slice(0, 200) }, 'large')}
        >
          <Text of={row.operation} max={80} />
        </button>
      ),
    },
    { key: 'spans', title: 'spans', number: true, by: (row) => -row.spans, cell: (row) => count(row.spans) },
    {
      key: 'failed',
      title: 'failed',
      number: true,
      by: (row) => -row.failed,
      cell: (row) => (row.failed === 0 ? '–' : <b class="strong failing">{row.failed} ✕</b>),
    },
    { key: 'total', title: 'total', number: true, by: (row) => -row.totalNs, cell: (row) => nanos(row.totalNs) },
    {
      key: 'path',
      title: 'on the critical path',
      number: true,
      by: (row) => -row.onPathNs,
      cell: (row) => (row.onPathNs === 0 ? '–' : nanos(row.onPathNs)),
    },
    {
      key: 'self',
      title: 'self time',
      number: true,
      by: (row) => -row.selfNs,
      cell: (row) => (
        <span class="measure">
          <span class="track-of">
            <i style={{ width: `${(row.selfNs / most) * 100}%` }} />
          </span>
          {nanos(row.selfNs)}
        </span>
      ),
    },
  ];
  return (
    <div class="tables">
      <SortedTable
        title="Time by operation"
        rows={rows}
        columns={columns}
        sort={sort}
        onSort={setSort}
        rowKey={(row) => `${row.service}\u0000${row.operation}`}
      />
    </div>
  );
}
