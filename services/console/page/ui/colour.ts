/**
 * Colours of styles/tokens.css as a canvas takes them: the browser's own answer for elements of that colour, since a canvas
 * knows no light-dark() and no custom properties.
 */
export function canvasColours(within: Element, wanted: readonly CanvasColour[]): string[] {
  const probes = wanted.map(({ value, className = '' }) => {
    const probe = document.createElement('i');
    probe.className = className;
    probe.style.color = value;
    return probe;
  });
  // All at once, so that the browser works out styles once.
  within.append(...probes);
  const colours = probes.map((probe) => getComputedStyle(probe).color);
  for (const probe of probes) probe.remove();
  return colours;
}

export interface CanvasColour {
  /** Of CSS's `color`, such as `var(--accent)`. */
  readonly value: string;
  readonly className?: string;
}

/** The same as red, green, blue and opacity, four bytes each. */
export function colourBytes(colours: readonly string[]): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(colours.length, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return new Uint8ClampedArray(colours.length * 4);
  colours.forEach((colour, x) => {
    context.fillStyle = colour;
    context.fillRect(x, 0, 1, 1);
  });
  return context.getImageData(0, 0, colours.length, 1).data;
}
