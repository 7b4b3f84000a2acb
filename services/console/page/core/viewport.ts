import { NODE_HEIGHT, NODE_WIDTH, type Place } from './layout.ts';

/** What of a picture is seen: `x` and `y` in screen pixels are where its origin lies. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const SCALE_MIN = 0.1;
export const SCALE_MAX = 2.5;

/**
 * All of it, in the middle, hardly larger than life.
 * @param right pixels that the buttons take on that side.
 */
export function fitAll(places: readonly Place[], size: Size, margin = 36, right = 58): Viewport {
  if (places.length === 0) return { x: size.width / 2, y: size.height / 2, scale: 1 };
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const [start, end] = [Math.min(...xs) - NODE_WIDTH / 2, Math.max(...xs) + NODE_WIDTH / 2];
  const [top, bottom] = [Math.min(...ys) - NODE_HEIGHT / 2, Math.max(...ys) + NODE_HEIGHT / 2];
  const fitting = Math.min((size.width - margin - right) / (end - start), (size.height - 2 * margin) / (bottom - top));
  const scale = Math.max(SCALE_MIN, Math.min(1.15, fitting));
  return {
    x: (size.width + margin - right) / 2 - ((start + end) / 2) * scale,
    y: size.height / 2 - ((top + bottom) / 2) * scale,
    scale,
  };
}

/** Larger or smaller while the point under the pointer stays where it is. */
export function zoomAt(view: Viewport, factor: number, point: Place): Viewport {
  const scale = Math.max(SCALE_MIN, Math.min(SCALE_MAX, view.scale * factor));
  const ratio = scale / view.scale;
  return { x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio, scale };
}

/** Moved as little as it takes to see a node. */
export function reveal(view: Viewport, place: Place, size: Size, margin = 24): Viewport {
  const [x, y] = [place.x * view.scale + view.x, place.y * view.scale + view.y];
  const [halfWidth, halfHeight] = [(NODE_WIDTH / 2) * view.scale + margin, (NODE_HEIGHT / 2) * view.scale + margin];
  const into = (at: number, half: number, whole: number) => Math.max(half - at, 0) + Math.min(whole - half - at, 0);
  return { ...view, x: view.x + into(x, halfWidth, size.width), y: view.y + into(y, halfHeight, size.height) };
}

export function printView({ x, y, scale }: Viewport): string {
  return [Math.round(x), Math.round(y), Number(scale.toFixed(3))].join(',');
}

export function parseView(text: string): Viewport | undefined {
  const [x, y, scale, ...more] = text.split(',').map(Number);
  if (x === undefined || y === undefined || scale === undefined || more.length > 0) return undefined;
  if (![x, y, scale].every(Number.isFinite)) return undefined;
  return { x, y, scale: Math.max(SCALE_MIN, Math.min(SCALE_MAX, scale)) };
}
