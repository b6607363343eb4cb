import { WeighBridge } from './embed.js';

// A page may load this twice, from two places: the first one stays.
if (!customElements.get('weigh-bridge')) customElements.define('weigh-bridge', WeighBridge);

// The rest is for embed.html, which has to read a link and to speak the reader's language.
export { WeighBridge };
export { kLooks } from './embed-attributes.js';
export { readLink } from './link.js';
export { textsOf } from './embed-texts.js';
export { languageOf } from './settings.js';
