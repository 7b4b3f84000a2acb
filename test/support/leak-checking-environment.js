import { TestEnvironment } from 'jest-environment-node';

/**
 * Fails a test file that leaves something open: a consumer, a socket, a timer, a child process. Looks once all hooks of
 * the file have run, so that no file has to ask for it, and waits a little for connections that are just closing.
 */
export default class LeakCheckingEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.before = openResources();
  }

  async teardown() {
    const deadline = Date.now() + GRACE_MS;
    let left = moreThan(this.before, openResources());
    while (left.length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      left = moreThan(this.before, openResources());
    }
    await super.teardown();
    if (left.length > 0) throw new Error(`This test file left open: ${left.join(', ')}. Close every client it opens.`);
  }
}

const GRACE_MS = 2_000;
const WATCHED = new Map([
  ['TCPSocketWrap', 'TCP connection'],
  ['TCPServerWrap', 'TCP server'],
  ['TLSWrap', 'TLS connection'],
  ['PipeWrap', 'pipe'],
  ['ProcessWrap', 'child process'],
  ['Timeout', 'timer'],
  ['FSEventWrap', 'file watcher'],
  ['MessagePort', 'worker'],
]);

/** What keeps the process alive right now, counted by kind. */
function openResources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (WATCHED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function moreThan(before, now) {
  return [...now]
    .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)])
    .filter(([, more]) => more > 0)
    .map(([kind, more]) => `${more} ${WATCHED.get(kind)}${more > 1 ? 's' : ''}`);
}
