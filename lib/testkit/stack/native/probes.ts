import { connect } from 'node:net';

/** True when the broker gives metadata that has a broker in it: it is registered, unfenced and takes requests. */
export async function kafkaAnswers(port: number, host = LOOPBACK): Promise<boolean> {
  const answer = await ask(
    { host, port },
    METADATA_REQUEST,
    (bytes) => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0),
  );
  // Response v4: size, correlation id, throttle time, then the array of brokers.
  return answer !== undefined && answer.length >= 16 && answer.readInt32BE(12) > 0;
}

/** True when Redis says PONG; while it loads its file it says LOADING. */
export async function redisAnswers(port: number): Promise<boolean> {
  const answer = await ask({ host: LOOPBACK, port }, Buffer.from('PING\r\n'), (bytes) => bytes.includes('\n'));
  return answer?.toString().startsWith('+PONG') === true;
}

/** True when an HTTP server answers, whatever it says. */
export async function httpAnswers(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${LOOPBACK}:${port}/`, { signal: AbortSignal.timeout(PROBE_MS) });
    await answer.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

const LOOPBACK = '127.0.0.1';
const PROBE_MS = 2_000;

/** Metadata v4 for no topics, without auto creation: header (api key 3, version 4, correlation 1, client id) and body. */
const METADATA_REQUEST = Buffer.concat([
  Buffer.from([0, 0, 0, 23]),
  Buffer.from([0, 3, 0, 4, 0, 0, 0, 1, 0, 8]),
  Buffer.from('spanloom'),
  Buffer.from([0, 0, 0, 0, 0]),
]);

function ask(
  at: { host: string; port: number },
  request: Buffer,
  isWhole: (bytes: Buffer) => boolean,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect(at);
    const done = (answer: Buffer | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_MS, () => done(undefined));
    socket.on('error', () => done(undefined));
    socket.on('close', () => done(undefined));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (isWhole(received)) done(received);
    });
  });
}
