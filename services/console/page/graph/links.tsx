import { type GraphLink, linkKey } from '../core/graph-links.ts';
import { linkWidth } from '../core/graph-view.ts';
import type { Layout, Place } from '../core/layout.ts';
import { linkMiddle, linkPath } from '../core/link-path.ts';
import { inWords } from '../ui/text.tsx';
import { describe, figuresOf, healthOf, type Shown, statsOf } from './figures.ts';
import type { Selection } from './picture.tsx';

interface LinksProps {
  readonly links: readonly GraphLink[];
  readonly layout: Layout;
  readonly shown: Shown;
  readonly selection: Selection;
  readonly marked: ReadonlySet<string>;
  readonly scale: number;
  readonly onLink: (client: string, server: string) => void;
}

/** Above this many lines only those that are not healthy carry their figures. */
const LABELLED_MAX = 24;

export function Links(props: LinksProps) {
  const { links, layout, shown, selection, marked, scale, onLink } = props;
  const { places, routes } = layout;
  const inFront = (link: GraphLink) =>
    Number(healthOf(link, shown) === 'failing') + 2 * Number(isChosen(link, selection));
  const drawn = links
    .filter((link) => places.has(link.client) && places.has(link.server))
    .sort((a, b) => inFront(a) - inFront(b));
  return (
    <svg class="links" aria-label="Calls between services" role="group">
      <defs>
        {(['healthy', 'degraded', 'failing', 'unknown'] as const).map((health) => (
          <marker
            key={health}
            id={`arrow-${health}`}
            viewBox="0 0 10 10"
            refX="2"
            refY="5"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path class={`arrow ${health}`} d="M0,0.8L9,5L0,9.2z" />
          </marker>
        ))}
      </defs>
      {drawn.map((link) => (
        <Line
          key={linkKey(link.client, link.server)}
          link={link}
          from={places.get(link.client) as Place}
          to={places.get(link.server) as Place}
          via={routes.get(linkKey(link.client, link.server))}
          shown={shown}
          chosen={isChosen(link, selection)}
          near={link.client === selection.service || link.server === selection.service}
          faded={marked.size > 0 && !(marked.has(link.client) && marked.has(link.server))}
          labelled={scale > 0.45 && (drawn.length <= LABELLED_MAX || isUnwell(link, shown))}
          onOpen={() => onLink(link.client, link.server)}
        />
      ))}
    </svg>
  );
}

interface LineProps {
  readonly link: GraphLink;
  readonly from: Place;
  readonly to: Place;
  readonly via: readonly Place[] | undefined;
  readonly shown: Shown;
  readonly chosen: boolean;
  readonly near: boolean;
  readonly faded: boolean;
  readonly labelled: boolean;
  readonly onOpen: () => void;
}

function Line({ link, from, to, via, shown, chosen, near, faded, labelled, onOpen }: LineProps) {
  const health = healthOf(link, shown);
  const path = linkPath(from, to, via);
  const middle = linkMiddle(from, to, via);
  const { rate, errors } = figuresOf(link, shown);
  const label = errors === '' || !(isUnwell(link, shown) || shown === 'difference') ? rate : errors;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onOpen();
  };
  return (
    <g
      class={`link-line ${health} ${chosen ? 'chosen' : ''} ${near ? 'near' : ''} ${faded ? 'faded' : ''}`}
      role="button"
      tabIndex={-1}
      aria-label={describe(`${inWords(link.client)} calls ${inWords(link.server)}`, link, shown)}
      onClick={onOpen}
      onKeyDown={onKey}
    >
      <path class="hit" d={path} />
      <path
        class="line"
        d={path}
        stroke-width={linkWidth(statsOf(link, shown)?.callsPerSecond ?? 0)}
        marker-end={`url(#arrow-${health})`}
      />
      {labelled && (
        <text class="link-label" x={middle.x} y={middle.y + 4}>
          {label}
        </text>
      )}
    </g>
  );
}

const isChosen = (link: GraphLink, { client, server }: Selection) => link.client === client && link.server === server;

function isUnwell(link: GraphLink, shown: Shown): boolean {
  const health = healthOf(link, shown);
  return health === 'failing' || health === 'degraded';
}
