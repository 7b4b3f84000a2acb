import { useEffect, useRef, useState } from 'preact/hooks';
import { hrefOf } from '../core/routes.ts';
import { traceIdIn } from '../core/search-query.ts';
import { Icon } from './icons.tsx';
import { isTyping } from './keys.ts';
import { goTo } from './route.ts';

/** Takes a trace id from anywhere, or the name of a service. */
export function FindBox() {
  const [typed, setTyped] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const go = (event: Event) => {
    event.preventDefault();
    const traceId = traceIdIn(typed);
    if (typed.trim() === '') return;
    goTo(traceId === undefined ? hrefOf('graph', { find: typed.trim() }) : hrefOf('trace', {}, traceId));
    setTyped('');
    field.current?.blur();
  };
  return (
    <form class="find" role="search" aria-label="Everything" onSubmit={go}>
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        placeholder="Trace id or service"
        aria-label="Find a trace by its id, or a service by name"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
