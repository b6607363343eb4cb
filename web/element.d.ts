// import "weighbridge/element": defines <weigh-bridge>. What each member says is in custom-elements.json.
import type { BadAnswer, EstimateAnswer, EstimateRequest } from './index.js';

/** The attributes of <weigh-bridge>, for the JSX types of a framework. */
export interface WeighBridgeAttributes {
  model?: string;
  weights?: string;
  'kv-cache'?: string;
  engine?: string;
  device?: string;
  devices?: number | string;
  prompt?: number | string;
  output?: number | string;
  context?: number | string;
  concurrency?: number | string;
  method?: 'detailed' | 'article';
  view?: 'card' | 'bar' | 'table' | 'line';
  lang?: string;
  theme?: 'light' | 'dark';
  unit?: 'GiB' | 'GB';
  controls?: string | boolean;
  readonly?: boolean;
  page?: string;
}

/** Each attribute as a property: the text of the attribute, or null. */
type Reflected = { [name in 'model' | 'weights' | 'kvCache' | 'engine' | 'device' | 'method' | 'view' | 'theme' | 'unit' | 'page']: string | null };

export interface WeighBridge extends Reflected {}
export declare class WeighBridge extends HTMLElement {
  get devices(): string | null;
  set devices(value: number | string | null);
  get prompt(): string | null;
  set prompt(value: number | string | null);
  get output(): string | null;
  set output(value: number | string | null);
  get context(): string | null;
  set context(value: number | string | null);
  get concurrency(): string | null;
  set concurrency(value: number | string | null);
  get controls(): string | null;
  set controls(value: string | boolean | null);
  readonly: boolean;
  /** What is asked. What is set lies below the attributes. */
  get request(): EstimateRequest;
  set request(value: Partial<EstimateRequest> | null | undefined);
  /** The last answer; undefined until there is one. */
  readonly answer: EstimateAnswer | BadAnswer | undefined;
  addEventListener(type: 'change', listener: (event: WeighBridgeChange) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener<K extends Exclude<keyof HTMLElementEventMap, 'change'>>(type: K, listener: (this: WeighBridge, event: HTMLElementEventMap[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

/** There is another answer. */
export type WeighBridgeChange = CustomEvent<{ request: EstimateRequest; answer: EstimateAnswer | BadAnswer }>;

declare global {
  interface HTMLElementTagNameMap {
    'weigh-bridge': WeighBridge;
  }
}
