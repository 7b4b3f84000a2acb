import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api.ts';

export interface Answer<T> {
  /** The newest answer to this question; an old one stays while a new one is under way. */
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly busy: boolean;
  readonly again: () => void;
  /** Puts an answer in that came another way. */
  readonly set: (data: T) => void;
}

/**
 * Asks when `question` changes and when `again` is called. Answers to an earlier question are dropped, and so is what was
 * shown, unless `keep` says that the new question is the old one at another time.
 * @param question undefined: there is nothing to ask.
 */
export function useAnswer<T>(
  question: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
  keep: string = question ?? '',
): Answer<T> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ keep: string; data?: T; error?: ApiError; busy: boolean }>({ keep, busy: true });
  const asking = useRef(ask);
  asking.current = ask;
  useEffect(() => {
    if (question === undefined) {
      setState({ keep, busy: false });
      return;
    }
    const abort = new AbortController();
    setState((old) => (old.keep === keep ? { ...old, busy: true } : { keep, busy: true }));
    asking
      .current(abort.signal)
      .then((data) => setState({ keep, data, busy: false }))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, String(error));
        setState((old) => ({ ...old, error: told, busy: false }));
      });
    return () => abort.abort();
  }, [question, keep, round]);
  const again = useCallback(() => setRound((old) => old + 1), []);
  const set = useCallback((data: T) => setState((old) => ({ keep: old.keep, data, busy: false })), []);
  const isCurrent = state.keep === keep;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    busy: !isCurrent || state.busy,
    again,
    set,
  };
}
