/**
 * A supervised service holds the reading end of a pipe that its supervisor never writes to. When the supervisor is gone,
 * however it went, the pipe ends: the service then drains as on SIGTERM, and is killed if that takes too long.
 */
export function stopWithParent(): void {
  const orphaned = () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), DRAIN_MS_MAX).unref();
  };
  process.stdin.once('end', orphaned);
  process.stdin.once('error', orphaned);
  process.stdin.resume();
  // The pipe alone must not keep a finished service alive.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
}

const DRAIN_MS_MAX = 12_000;
