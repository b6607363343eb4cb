// The page that computes: its calculator, and its views.
import { load, loadWhole } from '#core';

import type { Client } from './contract.js';
import { failureText } from './failure.js';
import { en } from './lang/en.js';
import './page.js';
import type { WeighPage } from './page.js';
import { textsOf } from './settings.js';

/** Done once the page has drawn an answer of its own, or says why it cannot. */
export async function start(): Promise<void> {
  const page = document.querySelector('weigh-page') as WeighPage;
  // Only the site has a service worker beside it. Where one is forbidden the page works as well, but needs the network.
  if (import.meta.env.MODE === 'site' && 'serviceWorker' in navigator)
    void import('./offline.js').then(({ keepOffline }) => keepOffline()).catch((error: unknown) => console.info('weighbridge: not kept for offline use:', error));
  try {
    const client = (await load()) as unknown as Client;
    performance.mark('weighbridge:core');
    await page.start(client, loadWhole as () => Promise<Client>);
  } catch (error) {
    page.texts = await textsOf(page.settings.language).catch(() => en);
    page.failure = failureText(error, page.texts);
    console.error(error);
  }
}
