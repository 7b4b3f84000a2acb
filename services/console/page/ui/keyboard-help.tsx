import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';

const KEYS: readonly (readonly [where: string, keys: readonly (readonly [key: string, does: string])[]])[] = [
  [
    'Everywhere',
    [
      ['/', 'find a trace or service'],
      ['?', 'this list'],
      ['Esc', 'close what is open'],
    ],
  ],
  [
    'Graph',
    [
      ['← →', 'along calls, to callers and callees'],
      ['↑ ↓', 'within a layer'],
      ['Enter', 'open the panel of a service'],
      ['f', 'focus on the chosen service'],
      ['+ − 0', 'larger, smaller, all of it'],
    ],
  ],
  [
    'Waterfall',
    [
      ['↑ ↓', 'from span to span'],
      ['← →', 'close and open; to the parent'],
      ['e / E', 'next, previous failed span'],
      ['p / P', 'next, previous span of the critical path'],
      ['Enter', 'details of the span'],
      ['+ −  0', 'zoom on the chosen span, out, all of it'],
    ],
  ],
];

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" onClose={onClose} aria-labelledby="keys-title">
      <header>
        <h2 id="keys-title">Keyboard</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      {KEYS.map(([where, keys]) => (
        <section key={where}>
          <h3>{where}</h3>
          <dl>
            {keys.map(([key, does]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </dialog>
  );
}
