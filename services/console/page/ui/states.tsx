import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Notice } from '../core/api-types.ts';
import { ApiError, sendJson } from '../data/api.ts';
import type { Answer } from '../data/use-answer.ts';
import { Icon, type IconName } from './icons.tsx';

/** What stands in a view's place while there is nothing to show yet, or why there is nothing and what to do. */
export function Answered<T>({
  answer,
  what,
  children,
}: {
  answer: Answer<T>;
  what: string;
  children: (data: T) => ComponentChildren;
}) {
  if (answer.data !== undefined) {
    return (
      <>
        {answer.error !== undefined && <Stale error={answer.error} again={answer.again} />}
        {children(answer.data)}
      </>
    );
  }
  if (answer.error !== undefined) return <Failure error={answer.error} what={what} again={answer.again} />;
  return <Loading what={what} />;
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" />
      <p>Loading {what} …</p>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <span class="state-icon">
        <Icon name={icon} size={28} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

function Failure({ error, what, again }: { error: ApiError; what: string; again: () => void }) {
  if (error.status === 401) return <Login again={again} />;
  return (
    <div class="state" role="alert">
      <span class="state-icon failing">
        <Icon name="error" size={28} />
      </span>
      <h2>{error.status === 404 ? `There is no such ${what}` : `No ${what} to show`}</h2>
      <p>{error.message}</p>
      <p class="faint">{advice(error)}</p>
      <button type="button" class="button" onClick={again}>
        Try again
      </button>
    </div>
  );
}

function advice({ status }: ApiError): string {
  if (status === 0) return 'Check that `spanloom service console` runs, then try again. Nothing on this page is lost.';
  if (status === 400) return 'Change what you asked for.';
  if (status === 403)
    return 'Open the console under the address that it prints at its start, or add this one to CONSOLE_HOSTS.';
  if (status === 404)
    return 'It may be older than what is kept, or not have arrived yet: traces come a good ten seconds after their last span.';
  return 'The log of `spanloom service console` says more.';
}

function Stale({ error, again }: { error: ApiError; again: () => void }) {
  return (
    <p class="notice warn" role="alert">
      <Icon name="incident" />
      <span>What you see is from before. {error.message}</span>
      <button type="button" class="link" onClick={again}>
        Try again
      </button>
    </p>
  );
}

export function Notices({ notices }: { notices: readonly Notice[] }) {
  return (
    <>
      {notices.map((notice) => (
        <p class="notice warn" role="status" key={notice.message}>
          <Icon name="incident" />
          <span>
            {notice.code === 'source_down' && <b>This is not all: </b>}
            {notice.message}
          </span>
        </p>
      ))}
    </>
  );
}

function Login({ again }: { again: () => void }) {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const logIn = async (event: Event) => {
    event.preventDefault();
    try {
      await sendJson('POST', 'session', { token });
      again();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <form class="state" onSubmit={logIn}>
      <h2>This console asks for its token</h2>
      <p class="faint">It is the content of the file that CONSOLE_TOKEN_FILE names on the console's machine.</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="current-password"
          value={token}
          onInput={(e) => setToken(e.currentTarget.value)}
        />
      </label>
      {problem !== '' && (
        <p class="field-problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="button primary">
        Go on
      </button>
    </form>
  );
}
