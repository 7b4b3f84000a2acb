import { HEALTH_WORDS, HealthMark } from '../ui/icons.tsx';
import type { Shown } from './figures.ts';

export function Legend({ shown }: { shown: Shown }) {
  return (
    <div class="legend">
      {(['healthy', 'degraded', 'failing', 'unknown'] as const).map((health) => (
        <span key={health}>
          <HealthMark health={health} size={12} />
          <svg width="34" height="8" aria-hidden="true" class={`link-line ${health}`}>
            <path class="line" d="M1,4H33" stroke-width="2.5" />
          </svg>
          {health === 'unknown' ? 'too few calls' : HEALTH_WORDS[health]}
        </span>
      ))}
      <span class="faint">
        {shown === 'before' ? 'the time before' : 'against the time before'}; width: calls per second
      </span>
    </div>
  );
}
