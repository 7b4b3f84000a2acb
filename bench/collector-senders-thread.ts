import { parentPort, workerData } from 'node:worker_threads';
import { runSenders } from './collector-senders.ts';

parentPort?.postMessage(await runSenders(workerData));
