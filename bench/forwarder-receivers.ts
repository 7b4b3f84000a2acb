import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MessagePort, workerData } from 'node:worker_threads';

/**
 * OTLP/HTTP receivers that read what is posted and say that it is taken; a thread of their own, so that they do not wait
 * for whoever samples. `workerData.taken` is shared memory: bytes taken by receiver.
 */
const { ports, taken } = workerData as { ports: MessagePort; taken: Float64Array };

const addresses = await Promise.all(Array.from(taken, (_, i) => receiver(i)));
ports.postMessage(addresses);

async function receiver(index: number): Promise<string> {
  const server = http.createServer((request, response) => {
    request.on('data', (part: Buffer) => {
      taken[index] = (taken[index] ?? 0) + part.length;
    });
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
