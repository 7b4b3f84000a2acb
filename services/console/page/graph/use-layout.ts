import { useEffect, useRef, useState } from 'preact/hooks';
import type { GraphView } from '../core/graph-view.ts';
import { layoutKey, type LayoutInput, type Places, placeNewcomers } from '../core/layout.ts';

declare const LAYOUT_WORKER: string;

/**
 * Places of the services shown. Whoever has a place keeps it while the filter stays the same: figures change nothing,
 * newcomers are put where there is room, and only when most is new, or `tidy` counts up, everything is laid out anew.
 */
export function useLayout(view: GraphView, filter: string, tidy: number): Places | undefined {
  const [known, setKnown] = useState<{ readonly filter: string; readonly places: Places } | undefined>();
  const input = inputOf(view);
  const key = `${filter}\n${tidy}\n${layoutKey(input)}`;
  const tidied = useRef(tidy);
  useEffect(() => {
    const isNew = known?.filter !== filter || tidied.current !== tidy;
    tidied.current = tidy;
    const grown = isNew || known === undefined ? undefined : placeNewcomers(known.places, input);
    if (grown !== undefined) {
      if (grown !== known?.places) setKnown({ filter, places: grown });
      return;
    }
    return layOut(input, (places) => setKnown({ filter, places }));
  }, [key]);
  return known?.places;
}

function inputOf(view: GraphView): LayoutInput {
  return {
    names: view.nodes.map((node) => node.name),
    links: view.links.map((link) => [link.client, link.server] as const),
  };
}

let worker: Worker | undefined;
let asked = 0;

/** In a worker, since a large graph takes a second. An answer that nobody waits for any more is dropped. */
function layOut(input: LayoutInput, onPlaces: (places: Places) => void): () => void {
  worker ??= new Worker(scriptUrl(new URL(LAYOUT_WORKER, import.meta.url).href), { type: 'module' });
  const ticket = ++asked;
  const take = ({ data }: MessageEvent<{ ticket: number; places: Places }>) => {
    if (data.ticket !== ticket) return;
    worker?.removeEventListener('message', take);
    onPlaces(data.places);
  };
  worker.addEventListener('message', take);
  worker.postMessage({ ticket, input });
  return () => worker?.removeEventListener('message', take);
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string };
}

/** The page's policy takes scripts by name only from whoever says that they are its own. */
function scriptUrl(url: string): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types?.createPolicy('spanloom', { createScriptURL: (own) => own }).createScriptURL(url) ?? url;
}
