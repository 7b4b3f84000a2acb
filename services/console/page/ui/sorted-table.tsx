import type { ComponentChildren } from 'preact';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly number?: boolean;
  /** What rows are sorted by, ascending; undefined: not by this column. */
  readonly by?: (row: T) => number | string;
  readonly cell: (row: T) => ComponentChildren;
}

interface SortedTableProps<T> {
  readonly title: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  /** A column's key, with a dash before it for the other way round. A column of another table: as the rows come. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly rowKey: (row: T) => string;
}

export function SortedTable<T>({ title, rows, columns, sort, onSort, rowKey }: SortedTableProps<T>) {
  const key = sort.replace(/^-/, '');
  const column = columns.find((one) => one.key === key);
  return (
    <table class="data">
      <caption>{title}</caption>
      <thead>
        <tr>
          {columns.map(({ key: own, title: words, number, by }) => (
            <th
              key={own}
              scope="col"
              class={number ? 'number' : ''}
              aria-sort={
                by === undefined || own !== key ? undefined : sort.startsWith('-') ? 'descending' : 'ascending'
              }
            >
              {by === undefined ? (
                words
              ) : (
                <button type="button" class="sort" onClick={() => onSort(sort === own ? `-${own}` : own)}>
                  {words}
                  <span aria-hidden="true">{own !== key ? '' : sort.startsWith('-') ? ' ↑' : ' ↓'}</span>
                </button>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted(rows, column?.by, sort.startsWith('-')).map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ key: own, number, cell }) => (
              <td key={own} class={number ? 'number' : ''}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sorted<T>(rows: readonly T[], by: ((row: T) => number | string) | undefined, reversed: boolean): readonly T[] {
  if (by === undefined) return rows;
  const up = rows.toSorted((a, b) => {
    const [x, y] = [by(a), by(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  });
  return reversed ? up.reverse() : up;
}
