import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ScenarioOutcome } from './run-scenario.ts';
import { FAULT_CLASSES, type FaultClass } from './scenario.ts';

export interface ScenarioJob {
  readonly faultClass: FaultClass;
  readonly nth: number;
  readonly seed: number;
}

/**
 * Runs so many scenarios of every fault class on all processors. The outcomes come in the order of the classes, and are
 * the same however many processors there are.
 *
 * @param onOutcome told after each, with how many are done and how many there are.
 */
export async function runScenarios(
  options: { seed: number; perClass: number; classes?: readonly FaultClass[] },
  onOutcome: (done: number, of: number) => void = () => {},
): Promise<ScenarioOutcome[]> {
  const classes = options.classes ?? FAULT_CLASSES;
  const jobs = classes.flatMap((faultClass) =>
    Array.from({ length: options.perClass }, (_, nth): ScenarioJob => ({ faultClass, nth, seed: options.seed })),
  );
  const outcomes: ScenarioOutcome[] = [];
  let next = 0;
  let done = 0;
  const drain = async () => {
    const worker = new Worker(new URL('./scenario-worker.ts', import.meta.url));
    try {
      for (let job = next++; job < jobs.length; job = next++) {
        outcomes[job] = await ask(worker, jobs[job] as ScenarioJob);
        onOutcome(++done, jobs.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, drain));
  return outcomes;
}

function ask(worker: Worker, job: ScenarioJob): Promise<ScenarioOutcome> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (outcome: ScenarioOutcome) => {
      worker.off('error', reject);
      resolve(outcome);
    });
    worker.postMessage(job);
  });
}
