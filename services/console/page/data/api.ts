/** An answer that is none: what the console said, or that nobody said anything. */
export class ApiError extends Error {
  /** HTTP status; 0: no answer came. */
  readonly status: number;
  /** The parameter at fault, when it is one. */
  readonly field: string | undefined;

  constructor(status: number, message: string, field?: string) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

/** GET below `api/console/`, beside wherever the page itself lies. @throws ApiError */
export function getJson<T>(path: string, query?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const search = query === undefined || query.size === 0 ? '' : `?${query}`;
  return ask<T>(`${path}${search}`, { signal });
}

/** @throws ApiError */
export function sendJson<T>(method: 'PUT' | 'POST', path: string, body: unknown): Promise<T> {
  return ask<T>(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

export const apiUrl = (path: string) => `api/console/${path}`;

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path), { ...init, credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'The console does not answer. It may be restarting, or the network is down.');
  }
  const answer = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer as T;
  const said = (answer as { error?: { message?: string; field?: string } } | undefined)?.error;
  throw new ApiError(response.status, said?.message ?? unexplained(response.status), said?.field);
}

function unexplained(status: number): string {
  if (status === 404 || status === 200) return 'This page is served without a Spanloom console behind it.';
  return `The console answered with HTTP status ${status} and no explanation.`;
}
