import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';

/** One of a few, side by side. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [value: T, words: string])[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset class="segmented">
      <legend class="hidden">{label}</legend>
      {options.map(([option, words]) => (
        <label key={option} class={option === value ? 'on' : ''}>
          <input type="radio" name={label} checked={option === value} onChange={() => onChange(option)} />
          {words}
        </label>
      ))}
    </fieldset>
  );
}

export function Toggle({ on, onChange, children }: { on: boolean; onChange: (on: boolean) => void; children: string }) {
  return (
    <label class={`toggle ${on ? 'on' : ''}`}>
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  );
}

/** Says that it has copied, for those who see and for those who listen. */
export function CopyButton({ text, label, words }: { text: () => string; label: string; words?: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const done = await copyText(text());
    setState(done ? 'copied' : 'failed');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState('idle'), 2_000);
  };
  const told = state === 'idle' ? words : state === 'copied' ? 'Copied' : 'The browser forbids it';
  return (
    <button
      type="button"
      class={words === undefined ? 'icon-button small' : 'button'}
      onClick={copy}
      aria-label={words === undefined ? label : undefined}
      title={label}
    >
      <Icon name={state === 'copied' ? 'check' : 'copy'} size={14} />
      <span role="status">
        {words === undefined ? state === 'idle' ? '' : <span class="hidden">{told}</span> : told}
      </span>
    </button>
  );
}

/** The clipboard is there on secure origins and loopback only; a text field that is copied from works elsewhere. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** Waits until typing has paused, so that each letter is not a question. */
export function useTyped(
  value: string,
  onSettled: (value: string) => void,
  pauseMs = 250,
): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [
    typed,
    (next) => {
      setTyped(next);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => onSettled(next), pauseMs);
    },
  ];
}
