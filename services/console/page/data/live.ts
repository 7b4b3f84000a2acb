import { useEffect, useState } from 'preact/hooks';
import type { ServerHealth } from '../core/api-types.ts';
import { apiUrl } from './api.ts';

export type LiveEvent = 'graph' | 'incident' | 'health';

type Listener = (data: unknown) => void;

const listeners = new Map<LiveEvent | 'connected', Set<Listener>>();
let source: EventSource | undefined;
let isConnected = false;
let health: ServerHealth | undefined;
/** How far the console's clock is ahead of the browser's. */
let aheadMs = 0;

/** The present as the console has it, in milliseconds of Unix time. */
export const consoleNow = () => Math.round(Date.now() + aheadMs);

/** Calls back at each event of the console, at most once in `everyMs`; the last one is never missed. */
export function useLive(event: LiveEvent, onEvent: (data: unknown) => void, everyMs = 0): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let calledAt = 0;
    const call = (data: unknown) => {
      clearTimeout(timer);
      const wait = calledAt + everyMs - performance.now();
      if (wait > 0) {
        timer = setTimeout(() => call(data), wait);
        return;
      }
      calledAt = performance.now();
      onEvent(data);
    };
    const leave = listen(event, call);
    return () => {
      clearTimeout(timer);
      leave();
    };
  }, [event, onEvent, everyMs]);
}

export function useConnection(): { readonly connected: boolean; readonly health: ServerHealth | undefined } {
  const [, setRound] = useState(0);
  useEffect(() => {
    const redraw = () => setRound((old) => old + 1);
    const leave = [listen('connected', redraw), listen('health', redraw)];
    return () => {
      for (const go of leave) go();
    };
  }, []);
  return { connected: isConnected, health };
}

function listen(event: LiveEvent | 'connected', listener: Listener): () => void {
  connect();
  const all = listeners.get(event) ?? new Set();
  listeners.set(event, all.add(listener));
  return () => all.delete(listener);
}

function connect(): void {
  if (source !== undefined) return;
  source = new EventSource(apiUrl('events'));
  source.onopen = () => setConnected(true);
  source.onerror = () => {
    setConnected(false);
    // The browser tries again by itself unless the answer was no stream at all.
    if (source?.readyState !== EventSource.CLOSED) return;
    source = undefined;
    setTimeout(connect, RETRY_MS);
  };
  source.addEventListener('hello', (event) => takeHealth(parse(event)));
  source.addEventListener('health', (event) => takeHealth(parse(event)));
  for (const name of ['graph', 'incident'] as const) source.addEventListener(name, (event) => tell(name, parse(event)));
}

function takeHealth(data: unknown): void {
  if (data === undefined) return;
  health = data as ServerHealth;
  aheadMs = health.nowMs - Date.now();
  tell('health', data);
}

function setConnected(connected: boolean): void {
  if (isConnected === connected) return;
  isConnected = connected;
  tell('connected', connected);
}

function tell(event: LiveEvent | 'connected', data: unknown): void {
  for (const listener of listeners.get(event) ?? []) listener(data);
}

function parse(event: MessageEvent): unknown {
  try {
    return JSON.parse(event.data);
  } catch {
    return undefined;
  }
}

const RETRY_MS = 5_000;
