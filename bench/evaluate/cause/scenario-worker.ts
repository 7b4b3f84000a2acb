/** One thread of the scenario pool: a job in, its outcome out. */
import { parentPort } from 'node:worker_threads';
import { runScenario } from './run-scenario.ts';
import type { ScenarioJob } from './scenario-pool.ts';

parentPort?.on('message', async ({ faultClass, nth, seed }: ScenarioJob) => {
  parentPort?.postMessage(await runScenario(faultClass, nth, seed));
});
