// A page that stands there finished, until its reader turns to it: what was pressed or focused before its scripts came is
// pressed or focused again once they have.

const kMoves = ['pointermove', 'pointerdown', 'touchstart', 'keydown', 'focusin', 'click', 'wheel', 'scroll', 'dragenter', 'paste', 'hashchange', 'popstate'];
const kPatience = 4000; // ms after which a reader who only reads is taken for one who will ask

/** Finds, in what is drawn later, the element that stands where this one stood. */
function likeness(element: Element): () => HTMLElement | undefined {
  if (element.id) return () => document.getElementById(element.id) ?? undefined;
  const name = (e: Element): string => e.getAttribute('aria-label') ?? e.textContent.trim();
  const same = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(element.localName)].filter((e) => name(e) === wanted);
  const wanted = name(element);
  const place = same().indexOf(element as HTMLElement);
  return () => same()[place];
}

/** Calls `start` at the first sign of a reader: a pointer, a key, a scroll; or after some seconds. */
export function whenMoved(start: () => Promise<void>): void {
  let focused: (() => HTMLElement | undefined) | undefined;
  let pressed: (() => HTMLElement | undefined) | undefined;
  let woken = false;
  document.documentElement.dataset['start'] = 'asleep';
  const wake = (): void => {
    if (woken) return;
    woken = true;
    document.documentElement.dataset['start'] = 'woken';
    void start().then(() => {
      for (const name of kMoves) removeEventListener(name, moved, true);
      if (document.activeElement === document.body) focused?.()?.focus({ preventScroll: true });
      pressed?.()?.click();
    });
  };
  const moved = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest('a, button, summary, input') : null;
    if (target && event.isTrusted && document.documentElement.dataset['start'] !== undefined) {
      if (event.type === 'focusin') focused = likeness(target);
      // A link goes its own way, but for the one that the page takes itself.
      if (event.type === 'click' && !target.matches('a:not(.skip)')) {
        event.preventDefault();
        pressed = likeness(target);
      }
    }
    wake();
  };
  for (const name of kMoves) addEventListener(name, moved, { capture: true, passive: name !== 'click' });
  addEventListener('load', () => setTimeout(() => ('requestIdleCallback' in window ? requestIdleCallback(wake) : wake()), kPatience));
}
