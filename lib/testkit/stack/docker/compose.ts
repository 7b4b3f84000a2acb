import type { StackPlan, StartedServers } from '../types.ts';
export async function startCompose(_plan: StackPlan): Promise<StartedServers> {
  throw new Error('later');
}
