import { useEffect, useRef, useState } from 'preact/hooks';
import type { GraphView } from '../core/graph-view.ts';
import { type Layout, type LayoutInput, layoutKey, placeNewcomers } from '../core/layout.ts';

declare const LAYOUT_WORKER: string;

/**
 * Places of the services shown. Whoever has a place keeps it while the filter stays the same: figures change nothing,
 * newcomers are put where there is room, and only when most is new, or `tidy` counts up, everything is laid out anew.
 */
export function useLayout(view: GraphView, filter: string, tidy: number): Layout | undefined {
  const [known, setKnown] = useState<{ readonly filter: string; readonly layout: Layout } | undefined>();
  const input = inputOf(view);
  const key = `${filter}\n${tidy}\n${layoutKey(input)}`;
  const tidied = useRef(tidy);
  useEffect(() => {
    const isNew = known?.filter !== filter || tidied.current !== tidy;
    tidied.current = tidy;
    const grown = isNew || known === undefined ? undefined : placeNewcomers(known.layout.places, input);
    if (grown !== undefined) {
      if (known !== undefined && grown !== known.layout.places)
        setKnown({ filter, layout: { ...known.layout, places: grown } });
      return;
    }
    return layOut(input, (layout) => setKnown({ filter, layout }));
  }, [key]);
  return known?.layout;
}

function inputOf(view: GraphView): LayoutInput {
  return {
    names: view.nodes.map((node) => node.name),
    links: view.links.map((link) => [link.client, link.server] as const),
  };
}

let running: Worker | undefined;
let asked = 0;

/** In a worker, since a large graph takes a second. An answer that nobody waits for any more is dropped. */
function layOut(input: LayoutInput, onLayout: (layout: Layout) => void): () => void {
  const worker = layoutWorker();
  const ticket = ++asked;
  const take = ({ data }: MessageEvent<{ ticket: number; layout: Layout }>) => {
    if (data.ticket !== ticket) return;
    worker.removeEventListener('message', take);
    onLayout(data.layout);
  };
  worker.addEventListener('message', take);
  worker.postMessage({ ticket, input });
  return () => worker.removeEventListener('message', take);
}

/** Started early: it loads while the first answer is under way. */
export function layoutWorker(): Worker {
  running ??= new Worker(scriptUrl(new URL(LAYOUT_WORKER, import.meta.url).href), { type: 'module' });
  return running;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The page's policy takes scripts by name only from whoever says that they are its own. */
function scriptUrl(url: string): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types?.createPolicy('spanloom', { createScriptURL: (own) => own }).createScriptURL(url) ?? url;
}
