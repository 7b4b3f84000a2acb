import { readFile } from 'node:fs/promises';
import { SpanloomError } from '../errors/spanloom-error.ts';

/** A bearer token from a file that something else renews, e.g. a projected service account token. */
export function fileToken(path: string): () => Promise<string> {
  return async () => {
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch (error) {
      throw new SpanloomError('KAFKA_OAUTH_TOKEN', `The Kafka token in ${path} cannot be read`, {
        cause: error,
        retryable: true,
      });
    }
  };
}

export interface OauthClient {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
}

/**
 * Tokens by the client credentials grant (RFC 6749 §4.4), one request for all connections that ask while a token is
 * valid. A token is renewed a minute before it ends.
 * @throws SpanloomError KAFKA_OAUTH_TOKEN, retryable unless the authority refuses the client (4xx).
 */
export function oauthToken(client: OauthClient, nowMs: () => number = () => performance.now()): () => Promise<string> {
  let current: { token: Promise<string>; endsAtMs: number } | undefined;
  return () => {
    if (current !== undefined && nowMs() < current.endsAtMs) return current.token;
    const asked = { token: Promise.resolve(''), endsAtMs: Number.POSITIVE_INFINITY };
    asked.token = requestToken(client).then(
      (answer) => {
        asked.endsAtMs = nowMs() + Math.max(0, answer.expiresInSeconds - RENEW_BEFORE_END_SECONDS) * 1000;
        return answer.token;
      },
      (error) => {
        if (current === asked) current = undefined;
        throw error;
      },
    );
    current = asked;
    return asked.token;
  };
}

async function requestToken(client: OauthClient): Promise<{ token: string; expiresInSeconds: number }> {
  const { url, clientId, clientSecret, scope } = client;
  const credentials = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`);
  let response: Response;
  let answer: { access_token?: unknown; expires_in?: unknown };
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials.toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
      redirect: 'error',
      signal: AbortSignal.timeout(TOKEN_REQUEST_MS_MAX),
    });
    answer = response.ok ? ((await response.json()) as typeof answer) : {};
  } catch (error) {
    throw new SpanloomError('KAFKA_OAUTH_TOKEN', `No Kafka token could be fetched from ${url}`, {
      cause: error,
      retryable: true,
    });
  }
  if (typeof answer.access_token === 'string') {
    const seconds = typeof answer.expires_in === 'number' ? answer.expires_in : DEFAULT_EXPIRES_IN_SECONDS;
    return { token: answer.access_token, expiresInSeconds: seconds };
  }
  const refused = response.status >= 400 && response.status < 500 && response.status !== 429;
  const why = response.ok ? 'without an access_token' : `with status ${response.status}`;
  throw new SpanloomError('KAFKA_OAUTH_TOKEN', `${url} answered the request for a Kafka token ${why}`, {
    retryable: !refused,
  });
}

const RENEW_BEFORE_END_SECONDS = 60;
/** RFC 6749 leaves it open; short enough for every authority in use. */
const DEFAULT_EXPIRES_IN_SECONDS = 300;
const TOKEN_REQUEST_MS_MAX = 10_000;
