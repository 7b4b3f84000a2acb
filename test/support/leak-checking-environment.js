import { TestEnvironment } from 'jest-environment-node';

/**
 * Fails a test file that leaves something open: a consumer, a socket, a timer, a child process. Looks once all hooks of
 * the file have run, so that no file has to ask for it, and waits a little for connections that are just closing.
 */
export default class LeakCheckingEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.timers = trackTimers(this.global);
    this.before = openResources();
  }

  async teardown() {
    const deadline = Date.now() + GRACE_MS;
    let left = this.leftOpen();
    while (left.length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      left = this.leftOpen();
    }
    await super.teardown();
    if (left.length > 0) throw new Error(`This test file left open: ${left.join(', ')}. Close every client it opens.`);
  }

  leftOpen() {
    const now = openResources();
    now.set('timer', pending(this.timers).length);
    return [...now]
      .map(([kind, count]) => [kind, count - (this.before.get(kind) ?? 0)])
      .filter(([, more]) => more > 0)
      .map(([kind, more]) => `${more} ${kind}${more > 1 ? 's' : ''}`);
  }
}

/** A busy broker takes its time to close its side of a connection; a test file that left nothing open waits for nothing. */
const GRACE_MS = 20_000;
const TIMERS_BEFORE_PRUNING = 1_000;
const WATCHED = new Map([
  ['TCPSocketWrap', 'TCP connection'],
  ['TCPServerWrap', 'TCP server'],
  ['TLSWrap', 'TLS connection'],
  ['PipeWrap', 'pipe'],
  ['ProcessWrap', 'child process'],
  ['FSEventWrap', 'file watcher'],
  ['MessagePort', 'worker'],
]);

/** What keeps the process alive right now, counted by kind. */
function openResources() {
  const counts = new Map();
  for (const resource of process.getActiveResourcesInfo()) {
    const kind = WATCHED.get(resource);
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Timers are not counted like the rest, because jest has some of its own: those of the test file are remembered. */
function trackTimers(global) {
  const tracked = { timers: new Set(), pruneAt: TIMERS_BEFORE_PRUNING };
  for (const name of ['setTimeout', 'setInterval']) {
    const original = global[name];
    const tracking = (...args) => {
      const timer = original(...args);
      tracked.timers.add(timer);
      if (tracked.timers.size >= tracked.pruneAt) {
        tracked.timers = new Set(pending(tracked));
        tracked.pruneAt = tracked.timers.size + TIMERS_BEFORE_PRUNING;
      }
      return timer;
    };
    // util.promisify looks for a property of the function.
    global[name] = Object.defineProperties(tracking, Object.getOwnPropertyDescriptors(original));
  }
  return tracked;
}

/** Timers that are neither over nor cleared, and that keep the process alive. */
function pending({ timers }) {
  return [...timers].filter((timer) => timer._destroyed === false && timer.hasRef());
}
