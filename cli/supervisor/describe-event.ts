import type { ProcessEvent } from './supervised-process.ts';

/** One line for a person. */
export function describeProcessEvent(event: ProcessEvent): string {
  if (event.kind === 'ready') {
    return event.restarts === 0 ? `${event.name} is ready` : `${event.name} is ready again`;
  }
  return `${event.name} ended (${event.how}); it starts again in ${(event.restartInMs / 1000).toFixed(1)} s`;
}
