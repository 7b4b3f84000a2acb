import { clock, count } from '../core/format.ts';
import { useConnection } from '../data/live.ts';

/** Whether what is shown follows the present, and which sources are missing. */
export function Connection() {
  const { connected, health } = useConnection();
  const missing = (health?.sources ?? []).filter(({ state }) => state === 'down' || state === 'reading');
  const state = !connected ? 'away' : missing.length > 0 ? 'partial' : 'live';
  const words = { away: 'Not connected', partial: 'Partial', live: 'Live' }[state];
  const detail = [
    ...missing.map(({ name, message }) => `${name}: ${message}`),
    health === undefined
      ? ''
      : `${count(health.hot.traces)} traces at hand${health.hot.newestMs === null ? '' : `, the newest of ${clock(health.hot.newestMs)}`}`,
  ].filter((line) => line !== '');
  return (
    <span class={`connection ${state}`} role="status" title={detail.join('\n')}>
      <i aria-hidden="true" />
      {words}
      {state === 'partial' && <span class="hidden">: {detail.join('; ')}</span>}
    </span>
  );
}
