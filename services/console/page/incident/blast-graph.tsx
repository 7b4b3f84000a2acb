import { useMemo } from 'preact/hooks';
import type { Graph, Incident } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { graphLinks } from '../core/graph-links.ts';
import type { GraphView } from '../core/graph-view.ts';
import { hrefOf } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Legend } from '../graph/legend.tsx';
import { Picture } from '../graph/picture.tsx';
import { useLayout } from '../graph/use-layout.ts';
import { goTo } from '../ui/route.ts';
import { Answered, Loading } from '../ui/states.tsx';
import { Text } from '../ui/text.tsx';

/** The services that were hit and those that could be, as they did during the incident against the time before. */
export function BlastGraph({ whole }: { whole: Incident }) {
  const { during, before } = whole;
  const query = new URLSearchParams({
    from: String(during.fromMs),
    to: String(during.toMs),
    baselineFrom: String(before.fromMs),
    baselineTo: String(before.toMs),
  });
  const answer = useAnswer(String(query), (signal) => getJson<Graph>('graph', query, signal), 'blast');
  return (
    <Answered answer={answer} what="graph">
      {(graph) => <Drawn graph={graph} whole={whole} />}
    </Answered>
  );
}

const NOTHING_CHOSEN = { service: '', client: '', server: '' };

function Drawn({ graph, whole }: { graph: Graph; whole: Incident }) {
  const hit = useMemo(() => new Set([...whole.incident.services, ...whole.path]), [whole]);
  const view = useMemo(() => nearView(graph, hit), [graph, hit]);
  const layout = useLayout(view, 'blast', 0);
  if (layout === undefined) return <Loading what="layout" />;
  const { during, before, incident } = whole;
  const time = {
    span: Math.max(60, Math.ceil((during.toMs - during.fromMs) / 1_000)),
    until: incident.active ? 0 : during.toMs,
    since: before.fromMs,
  };
  return (
    <>
      <div class="blast">
        <Picture
          view={view}
          layout={layout}
          shown="during"
          selection={NOTHING_CHOSEN}
          marked={hit}
          seen=""
          onService={(service) => goTo(hrefOf('graph', { ...time, service }))}
          onLink={(client, server) => goTo(hrefOf('graph', { ...time, client, server }))}
        />
      </div>
      <Legend shown="during" />
      {whole.potentialServices.length > 0 && (
        <p class="faint">
          Not hit so far, but able to reach the cause: {plural(whole.potentialServices.length, 'service')}:{' '}
          {whole.potentialServices.slice(0, 12).map((name, at) => (
            <span key={name}>
              {at > 0 && ', '}
              <Text of={name} max={40} />
            </span>
          ))}
          .
        </p>
      )}
    </>
  );
}

/** What was hit with all its direct neighbours, so that what was spared shows as well. */
function nearView(graph: Graph, hit: ReadonlySet<string>): GraphView {
  const links = graphLinks(graph).filter(({ client, server }) => hit.has(client) || hit.has(server));
  const names = new Set([...hit, ...links.flatMap(({ client, server }) => [client, server])]);
  const nodes = graph.nodes.filter(({ name }) => names.has(name));
  return { nodes, links, hidden: graph.nodes.length - nodes.length };
}
