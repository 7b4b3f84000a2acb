/** Whether a key is for a field, or for the browser, and so not for the page. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  const isField =
    target !== null &&
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
    !/^(radio|checkbox|range)$/.test((target as HTMLInputElement).type);
  return isField || event.ctrlKey || event.metaKey || event.altKey;
}
