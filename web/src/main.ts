import { load } from '#core';

import type { Client } from './contract.js';
import './page.js';
import type { WeighPage } from './page.js';
import './style.css';
import './parts.css';

const page = document.querySelector('weigh-page') as WeighPage;
try {
  await page.start((await load()) as unknown as Client);
} catch (error) {
  page.failure = String(error instanceof Error ? error.message : error);
  console.error(error);
}
