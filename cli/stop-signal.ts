/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP, so that a command can stop in order. A second one a while later ends
 * the process at once; within the first moments it is the same Ctrl-C, which the launcher passes on once more.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let firstAtMs: number | undefined;
  const onSignal = () => {
    if (firstAtMs !== undefined && performance.now() - firstAtMs > SAME_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
    firstAtMs ??= performance.now();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return stop.signal;
}

/** Resolves when the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const SAME_SIGNAL_MS = 1_000;
const EXIT_INTERRUPTED = 130;
