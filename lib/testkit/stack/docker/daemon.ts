import { runTool } from '../native/run-tool.ts';

/** True when a Docker daemon answers; a client without a daemon does not count. */
export async function dockerDaemonAnswers(): Promise<boolean> {
  const answer = await runTool({
    command: 'docker',
    args: ['info', '--format', '{{.ServerVersion}}'],
    timeoutMs: TIMEOUT_MS,
  });
  return answer?.code === 0;
}

const TIMEOUT_MS = 10_000;
