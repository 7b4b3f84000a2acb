import type { IncomingMessage, ServerResponse } from 'node:http';

export type EventName = 'hello' | 'incident' | 'graph' | 'health';

/** Server-Sent Events to everybody who listens. Whoever cannot keep up is cut off, and connects again by itself. */
export class EventStream {
  private readonly listeners = new Set<ServerResponse>();
  private readonly heartbeat: NodeJS.Timeout;
  private id = 0;

  constructor() {
    this.heartbeat = setInterval(() => this.write(': still here\n\n'), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  get count(): number {
    return this.listeners.size;
  }

  get isFull(): boolean {
    return this.listeners.size >= LISTENERS_MAX;
  }

  /** @param hello data of the first event. */
  open(request: IncomingMessage, response: ServerResponse, hello: unknown): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // For proxies that would gather before they pass on.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n\n${this.format('hello', hello)}`);
    this.listeners.add(response);
    request.on('close', () => this.listeners.delete(response));
    response.on('error', () => this.listeners.delete(response));
  }

  send(name: EventName, data: unknown): void {
    if (this.listeners.size > 0) this.write(this.format(name, data));
  }

  close(): void {
    clearInterval(this.heartbeat);
    for (const listener of this.listeners) listener.end();
    this.listeners.clear();
  }

  private format(name: EventName, data: unknown): string {
    return `id: ${++this.id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  private write(text: string): void {
    for (const listener of this.listeners) {
      if (listener.writableLength > BACKLOG_BYTES_MAX) {
        this.listeners.delete(listener);
        listener.destroy();
      } else listener.write(text);
    }
  }
}

const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
const LISTENERS_MAX = 100;
const BACKLOG_BYTES_MAX = 1024 * 1024;
