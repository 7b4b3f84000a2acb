import { useEffect, useState } from 'preact/hooks';
import { hrefOf, type Route, readRoute, type ViewName, type ViewState } from '../core/routes.ts';

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    addEventListener('hashchange', onChange);
    addEventListener(REPLACED, onChange);
    return () => {
      removeEventListener('hashchange', onChange);
      removeEventListener(REPLACED, onChange);
    };
  }, []);
  return readRoute(hash);
}

/** A step that the back button takes back. */
export function goTo(href: string): void {
  location.hash = href;
}

/** The same view in another state. Small steps (a closed row, a letter typed) replace the last one. */
export function changeState<V extends ViewName>(
  route: Route<V>,
  change: Partial<ViewState<V>>,
  step: 'small' | 'large' = 'large',
) {
  const href = hrefOf(route.view, { ...route.state, ...change }, route.id);
  if (step === 'large') {
    goTo(href);
    return;
  }
  history.replaceState(null, '', href);
  dispatchEvent(new Event(REPLACED));
}

const REPLACED = 'spanloom:replaced';
