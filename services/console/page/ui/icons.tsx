import type { Health, NodeKind } from '../core/api-types.ts';

/** Line drawings on a grid of 24, in the colour of the text around. */
const PATHS = {
  service: 'M12 3l7.8 4.5v9L12 21l-7.8-4.5v-9zM12 12l7.8-4.5M12 12v9M12 12L4.2 7.5',
  database:
    'M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3',
  cache: 'M13 2.5L4.5 13.5H11l-1 8 8.5-11H12z',
  queue: 'M3 7h4v10H3zM10 7h4v10h-4zM17 7h4v10h-4z',
  external: 'M7 18.5a4.5 4.5 0 01-.6-8.96 6 6 0 0111.5 1.2A3.9 3.9 0 0117.6 18.5z',
  graph:
    'M5 12a2 2 0 104 0 2 2 0 10-4 0M15 6a2 2 0 104 0 2 2 0 10-4 0M15 18a2 2 0 104 0 2 2 0 10-4 0M8.8 11L15.2 7M8.8 13l6.4 4',
  traces: 'M4 6h9M8 12h12M12 18h5',
  incident: 'M12 3.5L21.5 20h-19zM12 10v4.5M12 17.2v.1',
  search: 'M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20.5 20.5',
  close: 'M6 6l12 12M18 6L6 18',
  right: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4.5 12.5l5 5 10-11',
  link: 'M10 14a4 4 0 006 .4l3-3a4 4 0 00-5.7-5.7L12 7M14 10a4 4 0 00-6-.4l-3 3a4 4 0 005.7 5.7L12 17',
  focus: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M12 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z',
  filter: 'M4 5h16l-6 7.5V19l-4 1.5v-8z',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  tidy: 'M3 12h5M8 12c3 0 3-6 6-6h6M8 12c3 0 3 6 6 6h6',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9',
  moon: 'M20 14.5A8.5 8.5 0 019.5 4a8.5 8.5 0 1010.5 10.5z',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
  half: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 4v16',
  keyboard: 'M3 7h18v10H3zM7 10.5h.1M11 10.5h.1M15 10.5h.1M8 14h8',
  clock: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4.5l3 2',
  people:
    'M9 5a3 3 0 100 6 3 3 0 000-6zM3 19c0-3.3 2.7-5 6-5s6 1.7 6 5M16 5.5a3 3 0 010 5.5M17.5 14.3c2 .6 3.5 2.1 3.5 4.7',
  error: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM9 9l6 6M15 9l-6 6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export const KIND_WORDS: Readonly<Record<NodeKind, string>> = {
  service: 'service',
  database: 'database',
  cache: 'cache',
  queue: 'queue',
  external: 'external',
};

export const HEALTH_WORDS: Readonly<Record<Health, string>> = {
  healthy: 'healthy',
  degraded: 'degraded',
  failing: 'failing',
  unknown: 'too few calls to say',
};

/** Health as a shape, so that it needs no colour: disc, triangle, crossed square, ring. */
export function HealthMark({ health, size = 14 }: { health: Health; size?: number }) {
  return (
    <svg class={`mark ${health}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {health === 'healthy' && <circle cx="8" cy="8" r="4.5" />}
      {health === 'degraded' && <path d="M8 1.8L15 14H1z" />}
      {health === 'failing' && <path d="M2 2h12v12H2z" />}
      {health === 'failing' && <path class="cut" d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" />}
      {health === 'degraded' && <path class="cut" d="M8 6v4M8 11.8v.4" />}
      {health === 'unknown' && <circle class="ring" cx="8" cy="8" r="4" />}
    </svg>
  );
}
