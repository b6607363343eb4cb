import { WeighBridge } from './embed.js';

if (!customElements.get('weigh-bridge')) customElements.define('weigh-bridge', WeighBridge);

export { WeighBridge };
