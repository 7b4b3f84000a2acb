import type { StackPlan, StartedServers } from '../types.ts';
export async function startTestcontainers(_plan: StackPlan): Promise<StartedServers> {
  throw new Error('later');
}
