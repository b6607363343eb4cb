// The installed page: everything is kept by the service worker after the first visit, and a new version waits until the reader takes it.
// Loaded after the first answer; the single file and the element have none of this.

import { Workbox } from 'workbox-window';

import './offline.css';
import { languageOf, textsOf } from './settings.js';

const kHour = 3_600_000;

export async function keepOffline(): Promise<void> {
  const worker = new Workbox(new URL('./sw.js', document.baseURI).href, { scope: new URL('./', document.baseURI).pathname });
  worker.addEventListener('waiting', () => void offer(worker));
  const registration = await worker.register();
  if (!registration) return;
  let asked = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || Date.now() - asked < kHour) return;
    asked = Date.now();
    registration.update().catch(() => undefined); // offline: another time
  });
}

async function offer(worker: Workbox): Promise<void> {
  if (document.querySelector('.version')) return;
  const texts = await textsOf(languageOf([document.documentElement.lang]));
  const box = document.createElement('aside');
  box.className = 'version';
  box.setAttribute('role', 'status');
  const button = (text: string, act: () => void): HTMLButtonElement => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', act);
    return made;
  };
  const words = document.createElement('p');
  words.textContent = texts.newVersion;
  // What was chosen is in the address, and stands there again after the reload.
  // Another tab may have taken it already: then it is here, and this one follows.
  let here = false;
  let wanted = false;
  worker.addEventListener('controlling', () => {
    here = true;
    if (wanted) location.reload();
  });
  const take = button(texts.takeVersion, () => {
    wanted = true;
    if (here) location.reload();
    else worker.messageSkipWaiting();
  });
  box.append(words, take, button(texts.laterVersion, () => box.remove()));
  document.body.append(box);
}
