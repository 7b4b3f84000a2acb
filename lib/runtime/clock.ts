import { randomBytes } from 'node:crypto';

/** Time as a service sees it. Everything that waits or dates takes one, so that tests and the simulator drive it. */
export interface Clock {
  /** Milliseconds since some origin of this process; never set back. For durations and time-outs. */
  monotonicMs(): number;
  /** Epoch milliseconds of the machine; may jump. For what people read, never for decisions about order. */
  wallMs(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Chance as a service sees it, for jitter and for names that must not repeat. */
export interface Random {
  /** 0 ≤ x < 1; not for secrets. */
  nextFloat(): number;
  /** `bytes` random bytes as lower-case hex, fit for nonces. */
  hex(bytes: number): string;
}

export const systemRandom: Random = {
  nextFloat: () => Math.random(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
