import { load } from '#core';

import type { Client } from './contract.js';
import './page.js';
import type { WeighPage } from './page.js';
import './parts.css';
import './style.css';

const page = document.querySelector('weigh-page') as WeighPage;
try {
  const client = (await load()) as unknown as Client;
  performance.mark('weighbridge:core');
  await page.start(client);
} catch (error) {
  page.failure = String(error instanceof Error ? error.message : error);
  console.error(error);
}
