import { render } from 'preact';
import { App } from './ui/app.tsx';
import { chosenTheme } from './ui/theme.ts';

document.documentElement.dataset['theme'] = chosenTheme();
const page = document.getElementById('page');
if (page !== null) {
  page.replaceChildren();
  render(<App />, page);
}
