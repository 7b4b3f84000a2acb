import { shownText } from '../core/shown-text.ts';

/** A name or value that strangers chose: visible, of bounded length, and of no influence on the direction of its neighbours. */
export function Text({ of, max = 120, class: className }: { of: string; max?: number; class?: string }) {
  const shown = shownText(of, max);
  return (
    <bdi class={className} title={shown.length > 24 ? shownText(of, 1_000) : undefined}>
      {shown === '' ? <i class="faint">(no name)</i> : shown}
    </bdi>
  );
}

/** The same where only text is possible: attributes, titles, labels. */
export function inWords(text: string): string {
  return text === '' ? '(no name)' : shownText(text, 120);
}
