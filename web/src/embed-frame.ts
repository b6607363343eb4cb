// embed.html#m=Qwen/QwQ-32B&d=rtx-4090&view=bar&theme=dark: the element for places that only take an iframe.
//
// The fragment is that of the page's links, and beside it the attributes that say how the element looks. The height goes to the
// page around as { type: 'weighbridge:height', height }; frame.js is a listener for it.

import { type WeighBridge, kLooks, languageOf, readLink, textsOf } from './embed-define.js';

const element = document.querySelector('weigh-bridge') as WeighBridge;

async function follow(): Promise<void> {
  const looks = new Map<string, string>();
  const rest = location.hash.replace(/^#/, '').split('&').filter((piece) => {
    const [name = '', text = ''] = piece.split('=', 2);
    if (!(kLooks as readonly string[]).includes(name)) return true;
    try {
      looks.set(name, decodeURIComponent(text));
    } catch {
      // an attribute that cannot be read is left out
    }
    return false;
  });
  const language = languageOf([looks.get('lang') ?? '', ...navigator.languages]);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const theme = looks.get('theme');
  document.documentElement.style.colorScheme = theme === 'light' || theme === 'dark' ? theme : 'light dark';
  for (const name of kLooks) {
    if (name === 'lang') continue;
    const value = looks.get(name);
    // A link may say anything; one that leads away from this site is not shown as ours.
    if (value === undefined || (name === 'page' && new URL(value, location.href).origin !== location.origin)) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  let broken = false;
  const link = await readLink(rest.join('&')).catch(() => void (broken = true));
  element.textContent = broken || !link ? (await textsOf(language)).brokenEmbed : '';
  element.request = link ? link.request : {};
}

addEventListener('hashchange', () => void follow());
void follow();

if (parent !== self) {
  let told = 0;
  new ResizeObserver(() => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === told) return;
    told = height;
    parent.postMessage({ type: 'weighbridge:height', height }, '*'); // a height is nobody's secret
  }).observe(document.body);
}
