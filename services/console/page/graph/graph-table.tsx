import type { GraphNode } from '../core/api-types.ts';
import { type GraphLink, SEVERITY } from '../core/graph-links.ts';
import type { GraphView } from '../core/graph-view.ts';
import { HEALTH_WORDS, HealthMark, Icon, KIND_WORDS } from '../ui/icons.tsx';
import { type Column, SortedTable } from '../ui/sorted-table.tsx';
import { Text } from '../ui/text.tsx';
import { becauseOf, figuresOf, healthOf, type Shown } from './figures.ts';

interface GraphTableProps {
  readonly view: GraphView;
  readonly shown: Shown;
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly onService: (name: string) => void;
  readonly onLink: (client: string, server: string) => void;
}

/** What the picture shows, as rows. */
export function GraphTable({ view, shown, sort, onSort, onService, onLink }: GraphTableProps) {
  const links: readonly Column<GraphLink>[] = [
    { key: 'client', title: 'caller', by: (link) => link.client, cell: (link) => <Text of={link.client} max={60} /> },
    { key: 'server', title: 'called', by: (link) => link.server, cell: (link) => <Text of={link.server} max={60} /> },
    ...commonColumns<GraphLink>(shown),
    {
      key: 'open',
      title: 'details',
      cell: (link) => (
        <button type="button" class="link" onClick={() => onLink(link.client, link.server)}>
          open
          <span class="hidden">
            {' '}
            {link.client} to {link.server}
          </span>
        </button>
      ),
    },
  ];
  const services: readonly Column<GraphNode>[] = [
    {
      key: 'name',
      title: 'service',
      by: (node) => node.name,
      cell: (node) => (
        <button type="button" class="link" onClick={() => onService(node.name)}>
          <Icon name={node.kind} /> <Text of={node.name} max={60} />
        </button>
      ),
    },
    { key: 'kind', title: 'kind', by: (node) => node.kind, cell: (node) => KIND_WORDS[node.kind] },
    {
      key: 'team',
      title: 'team',
      by: (node) => node.team ?? '',
      cell: (node) => (node.team === null ? '–' : <Text of={node.team} />),
    },
    ...commonColumns<GraphNode>(shown),
  ];
  return (
    <div class="tables">
      <SortedTable
        title="Services"
        rows={view.nodes}
        columns={services}
        sort={sort}
        onSort={onSort}
        rowKey={(node) => node.name}
      />
      <SortedTable
        title="Calls"
        rows={view.links}
        columns={links}
        sort={sort}
        onSort={onSort}
        rowKey={(link) => `${link.client}\u0000${link.server}`}
      />
    </div>
  );
}

function commonColumns<T extends GraphNode | GraphLink>(shown: Shown): readonly Column<T>[] {
  return [
    {
      key: 'health',
      title: 'health',
      by: (row) => -SEVERITY[healthOf(row, shown)],
      cell: (row) => (
        <span class="nowrap">
          <HealthMark health={healthOf(row, shown)} /> {HEALTH_WORDS[healthOf(row, shown)]}
          {shown !== 'before' && becauseOf(row) !== '' && <span class="faint"> ({becauseOf(row)})</span>}
        </span>
      ),
    },
    {
      key: 'rate',
      title: 'rate',
      number: true,
      by: (row) => -row.stats.callsPerSecond,
      cell: (row) => figuresOf(row, shown).rate,
    },
    {
      key: 'errors',
      title: 'errors',
      number: true,
      by: (row) => -(row.stats.errorRatio ?? 0),
      cell: (row) => figuresOf(row, shown).errors.replace(' err', '') || '0 %',
    },
    {
      key: 'p95',
      title: 'p95',
      number: true,
      by: (row) => -(row.stats.p95Ms ?? 0),
      cell: (row) => figuresOf(row, shown).p95 || '–',
    },
  ];
}
