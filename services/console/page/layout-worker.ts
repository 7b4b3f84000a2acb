import { graphlib, layout } from '@dagrejs/dagre';
import { linkKey } from './core/graph-links.ts';
import {
  LAYER_GAP,
  type Layout,
  type LayoutInput,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Place,
  quickLayout,
  ROW_GAP,
} from './core/layout.ts';

/** Above this many nodes dagre takes seconds; the quick layout takes milliseconds. */
const CAREFUL_NODES_MAX = 120;
const CAREFUL_LINKS_MAX = 400;

addEventListener('message', ({ data }: MessageEvent<{ ticket: number; input: LayoutInput }>) => {
  const { ticket, input } = data;
  const isLarge = input.names.length > CAREFUL_NODES_MAX || input.links.length > CAREFUL_LINKS_MAX;
  postMessage({ ticket, layout: isLarge ? quickLayout(input) : carefulLayout(input) });
});

/** Sorted first: dagre's result depends on the order in which it meets nodes and edges. */
function carefulLayout({ names, links }: LayoutInput): Layout {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: ROW_GAP, ranksep: LAYER_GAP, ranker: 'tight-tree' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names.toSorted()) graph.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const known = new Set(names);
  for (const [client, server] of links.toSorted((a, b) => (a.join('\u0000') < b.join('\u0000') ? -1 : 1))) {
    if (client !== server && known.has(client) && known.has(server)) graph.setEdge(client, server);
  }
  layout(graph);
  const places = new Map(
    names.map((name) => {
      const { x, y } = graph.node(name) as Place;
      return [name, { x, y }];
    }),
  );
  const layers = new Set([...places.values()].map(({ x }) => Math.round(x)));
  const routes = new Map(
    graph.edges().map(({ v, w }) => {
      const { points } = graph.edge(v, w) as { points: readonly Place[] };
      // Of the points between the layers none is needed: the line bends there by itself.
      return [linkKey(v, w), points.slice(1, -1).filter(({ x }) => layers.has(Math.round(x)))];
    }),
  );
  return { places, routes };
}
