import { runCli } from './cli.ts';
import { processIo } from './io.ts';

const args = process.argv.slice(2);

/** A reader that has seen enough (`spanloom tail … | head`) is no failure; services drain first, see lib/runtime. */
if (args[0] !== 'service') {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

stopWithLauncher();
process.exitCode = await runCli(args, processIo());
// Clients that were left open after an error must not keep a finished command alive.
await flushed(process.stdout);
process.exit();

/** The launcher (spanloom.js) holds a channel; when it is killed, the channel closes and this process must not outlive it. */
function stopWithLauncher(): void {
  if (process.channel === undefined || process.channel === null) return;
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
