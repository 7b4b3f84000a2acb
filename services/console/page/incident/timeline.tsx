import type { Incident } from '../core/api-types.ts';
import { clock, dayAndClock } from '../core/format.ts';
import { Text } from '../ui/text.tsx';

const KIND_WORDS: Readonly<Record<string, string>> = {
  first_error: 'first error',
  version: 'new version',
  opened: 'began',
  detected: 'detected',
  alert: 'alert',
  announced: 'announced',
  reopened: 'back again',
  acknowledged: 'acknowledged',
  unacknowledged: 'given back',
  note: 'note',
  resolved: 'over',
};

export function Timeline({ whole }: { whole: Incident }) {
  return (
    <ol class="timeline">
      {whole.timeline.map((entry, at) => (
        <li key={`${entry.atMs}${at}`} class={entry.kind}>
          <time title={dayAndClock(entry.atMs)} dateTime={new Date(entry.atMs).toISOString()}>
            {clock(entry.atMs)}
          </time>
          <span>
            <b>{KIND_WORDS[entry.kind] ?? entry.kind}</b> <Text of={entry.text} max={300} />
          </span>
        </li>
      ))}
    </ol>
  );
}
