import type { GraphNode } from '../core/api-types.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Place } from '../core/layout.ts';
import { HEALTH_WORDS, HealthMark, Icon, KIND_WORDS } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';
import { becauseOf, figuresOf, healthOf, type Shown } from './figures.ts';

interface NodeCardProps {
  readonly node: GraphNode;
  readonly place: Place;
  readonly shown: Shown;
  readonly selected: boolean;
  readonly faded: boolean;
  /** By the tab key; from there arrows lead on. */
  readonly reachable: boolean;
  readonly onOpen: () => void;
  readonly onEnter: () => void;
}

export function NodeCard({ node, place, shown, selected, faded, reachable, onOpen, onEnter }: NodeCardProps) {
  const health = healthOf(node, shown);
  const { rate, errors, p95 } = figuresOf(node, shown);
  const isCaller = node.kind === 'external' && node.stats.calls === 0;
  return (
    <li style={{ transform: `translate(${place.x - NODE_WIDTH / 2}px, ${place.y - NODE_HEIGHT / 2}px)` }}>
      <button
        type="button"
        class={`node ${node.kind} ${health} ${selected ? 'selected' : ''} ${faded ? 'faded' : ''}`}
        data-name={node.name}
        tabIndex={reachable ? 0 : -1}
        aria-pressed={selected}
        onClick={onOpen}
        onFocus={onEnter}
      >
        <span class="node-icon">
          <Icon name={node.kind} size={18} />
        </span>
        <span class="node-name">
          <Text of={node.name} max={60} />
          <span class="hidden">, {stateInWords(node, shown)}, </span>
        </span>
        {!isCaller && <HealthMark health={health} />}
        <span class="node-figures">
          {isCaller ? (
            <span>calls from outside</span>
          ) : (
            <>
              <span>{rate}</span>
              {errors !== '' && (
                <span class={health === 'failing' || health === 'degraded' ? `strong ${health}` : ''}>{errors}</span>
              )}
              {p95 !== '' && <span title="95 % of calls are faster">p95 {p95}</span>}
            </>
          )}
        </span>
      </button>
    </li>
  );
}

/** What the shape, the mark and the frame say to those who see them. */
function stateInWords(node: GraphNode, shown: Shown): string {
  const because = shown === 'before' ? '' : becauseOf(node);
  return `${KIND_WORDS[node.kind]}, ${HEALTH_WORDS[healthOf(node, shown)]}${because === '' ? '' : `: ${because}`}`;
}
