/**
 * OpenTelemetry's consistent probability sampling: a trace is kept when its randomness R (56 bits) is at least a
 * threshold T; the probability is 1 − T / 2^56. Everybody who samples by R keeps the same traces, and T on each span says
 * what the kept ones stand for.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */

/** Threshold that keeps a share of the traces; 0 keeps all. @param ratio 0 to 1; 0 answers THRESHOLD_NONE. */
export function thresholdOf(ratio: number): bigint {
  if (ratio >= 1) return 0n;
  if (ratio <= 0) return THRESHOLD_NONE;
  // A double has 53 bits; what is lost below is less than any count can tell.
  const rejected = BigInt(Math.round((1 - ratio) * 2 ** 53)) << 3n;
  return rejected < THRESHOLD_NONE ? rejected : THRESHOLD_NONE - 1n;
}

/** How many traces each kept one stands for. */
export function weightOf(threshold: bigint): number {
  return Number(THRESHOLD_NONE) / Number(THRESHOLD_NONE - threshold);
}

/** Nothing is kept: no randomness is so large. */
export const THRESHOLD_NONE = 1n << 56n;

/**
 * Randomness of a trace: what its tracestate says explicitly (`rv`), else the last 56 bits of its id.
 * @param traceId 32 hex characters.
 */
export function randomnessOf(traceId: string, otState: OtState): bigint {
  return otState.randomness ?? BigInt(`0x${traceId.slice(-14)}`);
}

/** What OpenTelemetry's entry of a W3C tracestate says. */
export interface OtState {
  readonly randomness: bigint | undefined;
  readonly threshold: bigint | undefined;
}

export function readOtState(tracestate: string): OtState {
  const entry = entryOf(tracestate);
  const values = new Map(
    (entry ?? '').split(';').map((part): [string, string] => {
      const colon = part.indexOf(':');
      return [part.slice(0, colon), part.slice(colon + 1)];
    }),
  );
  const rv = values.get('rv') ?? '';
  const th = values.get('th') ?? '';
  return {
    randomness: /^[0-9a-f]{14}$/.test(rv) ? BigInt(`0x${rv}`) : undefined,
    threshold: /^[0-9a-f]{1,14}$/.test(th) ? BigInt(`0x${th.padEnd(14, '0')}`) : undefined,
  };
}

/** The tracestate with this threshold; other entries, and what else OpenTelemetry's says, stay as they are. */
export function withThreshold(tracestate: string, threshold: bigint): string {
  const others = (entryOf(tracestate) ?? '').split(';').filter((part) => part !== '' && !part.startsWith('th:'));
  const ot = `ot=${[`th:${thresholdText(threshold)}`, ...others].join(';')}`;
  // Who changes an entry moves it to the front, as the W3C has it.
  return [ot, ...listMembers(tracestate).filter((member) => !member.startsWith('ot='))].slice(0, MEMBERS_MAX).join(',');
}

function thresholdText(threshold: bigint): string {
  return threshold.toString(16).padStart(14, '0').replace(/0+$/, '') || '0';
}

function entryOf(tracestate: string): string | undefined {
  return listMembers(tracestate)
    .find((member) => member.startsWith('ot='))
    ?.slice(3);
}

function listMembers(tracestate: string): string[] {
  return tracestate
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

const MEMBERS_MAX = 32;
