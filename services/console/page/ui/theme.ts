export type Theme = 'system' | 'dark' | 'light';

const KEY = 'spanloom-theme';

/** The reader's own choice; a browser that keeps nothing has the system's. */
export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : 'system';
  } catch {
    return 'system';
  }
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not kept, then; it holds until the page is left.
  }
  dispatchEvent(new Event(THEME_CHANGED));
}

export const THEME_CHANGED = 'spanloom:theme';
