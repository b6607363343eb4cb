import './parts.css';
import './style.css';
import { whenMoved } from './wake.js';

const bring = async (): Promise<void> => {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel=later]')) link.rel = 'preload'; // the calculator comes beside what calls it
  await (await import('./app.js')).start();
};
// Where the answer that was asked for stands in the page already, nothing more is fetched or run before the reader turns to it.
// Not awaited here: in the single file what is loaded later stands below this line, and would wait for it in vain.
if (document.documentElement.dataset['start'] === 'still') {
  whenMoved(bring);
  // Fetched in the background, so that it is at hand by then, and without a network too.
  if ('serviceWorker' in navigator) addEventListener('load', () => void navigator.serviceWorker.register('./sw.js').catch(() => undefined));
} else void bring();
