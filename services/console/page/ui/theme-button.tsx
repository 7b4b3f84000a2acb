import { useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { chosenTheme, setTheme, type Theme } from './theme.ts';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };
const ICONS = { system: 'half', dark: 'moon', light: 'sun' } as const;

export function ThemeButton() {
  const [theme, setShown] = useState(chosenTheme);
  const change = () => {
    setTheme(NEXT[theme]);
    setShown(NEXT[theme]);
  };
  const words = `Colours: ${theme}. Change to ${NEXT[theme]}`;
  return (
    <button type="button" class="icon-button" onClick={change} aria-label={words} title={words}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}
