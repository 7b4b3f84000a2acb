/**
 * A colour of styles/tokens.css as a canvas takes it: the browser's own answer for an element of that colour, since a canvas
 * knows no light-dark() and no custom properties.
 * @param value of CSS's `color`, such as `var(--accent)`.
 */
export function canvasColour(within: Element, value: string, className = ''): string {
  const probe = document.createElement('i');
  probe.className = className;
  probe.style.color = value;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
