import type { Refusal } from './params.ts';

export interface GuardSettings {
  /** Lower-case host names and addresses that this console is reached by, without port. */
  readonly hosts: ReadonlySet<string>;
  /** Lower-case name of the header in which a proxy says who asks. */
  readonly authHeader: string | undefined;
  /** A login is needed. */
  readonly hasToken: boolean;
}

export interface RequestFacts {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whether the token that came with it, by header or cookie, is the right one. */
  readonly hasRightToken: boolean;
}

/** Who asks; undefined: nobody was asked. */
export type Admission =
  | { readonly ok: true; readonly user: string | undefined }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Whether a request may be answered. The Host must be one of ours, so that no foreign name can be pointed here; an
 * Origin must be as well, so that no foreign page can ask in the name of whoever looks at it.
 */
export function admit(request: RequestFacts, settings: GuardSettings, needsLogin = true): Admission {
  const { host, origin, 'sec-fetch-site': site } = request.headers;
  // Without a Host (HTTP/1.0, as probes of load balancers write it) no browser asks: it always sends one.
  if (host !== undefined && !isOurs(String(host), settings)) {
    const message = 'The request is for another host. Names that this console is reached by go into CONSOLE_HOSTS.';
    return deny('FOREIGN_HOST', message);
  }
  const isForeignOrigin = origin !== undefined && !isOurs(originHost(String(origin)), settings);
  if (isForeignOrigin || (site === 'cross-site' && request.method !== 'GET')) {
    return deny('FOREIGN_ORIGIN', 'The request comes from a page of another host.');
  }
  const user = settings.authHeader === undefined ? undefined : oneLine(request.headers[settings.authHeader]);
  if (user !== undefined) return { ok: true, user };
  if (!settings.hasToken && settings.authHeader === undefined) return { ok: true, user: undefined };
  if ((settings.hasToken && request.hasRightToken) || !needsLogin) return { ok: true, user: undefined };
  return { ok: false, refusal: { status: 401, code: 'LOGIN_NEEDED', message: 'A token is needed, or it is wrong.' } };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isOurs(hostAndPort: string, { hosts }: GuardSettings): boolean {
  const host = hostAndPort.replace(/:\d{1,5}$/, '').toLowerCase();
  return isLoopback(host) || hosts.has(host);
}

function originHost(origin: string): string {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? '';
}

function oneLine(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.trim().slice(0, USER_LENGTH_MAX);
  return name === '' ? undefined : name;
}

function deny(code: string, message: string): Admission {
  return { ok: false, refusal: { status: 403, code, message } };
}

const USER_LENGTH_MAX = 200;
