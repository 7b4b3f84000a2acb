import { graphlib, layout } from '@dagrejs/dagre';
import { LAYER_GAP, type LayoutInput, NODE_HEIGHT, NODE_WIDTH, type Places, quickLayout, ROW_GAP } from './core/layout.ts';

/** Above this many nodes dagre takes seconds; the quick layout takes milliseconds. */
const CAREFUL_NODES_MAX = 120;
const CAREFUL_LINKS_MAX = 400;

addEventListener('message', ({ data }: MessageEvent<{ ticket: number; input: LayoutInput }>) => {
  const { ticket, input } = data;
  const isLarge = input.names.length > CAREFUL_NODES_MAX || input.links.length > CAREFUL_LINKS_MAX;
  postMessage({ ticket, places: isLarge ? quickLayout(input) : carefulLayout(input) });
});

/** Sorted first: dagre's result depends on the order in which it meets nodes and edges. */
function carefulLayout({ names, links }: LayoutInput): Places {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: ROW_GAP, ranksep: LAYER_GAP, ranker: 'tight-tree' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names.toSorted()) graph.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const known = new Set(names);
  for (const [client, server] of links.toSorted((a, b) => (a.join('\u0000') < b.join('\u0000') ? -1 : 1))) {
    if (client !== server && known.has(client) && known.has(server)) graph.setEdge(client, server);
  }
  layout(graph);
  return new Map(
    names.map((name) => {
      const { x, y } = graph.node(name) as { x: number; y: number };
      return [name, { x, y }];
    }),
  );
}
