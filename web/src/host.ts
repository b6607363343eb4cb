// What the form, the sections of an answer and the views need of the page that they stand in.

import type { Answer, Client, Description, Field, Problem } from './contract.js';
import type { Format } from './format.js';
import type { HubReference } from './hub_reference.js';
import type { Json, JsonObject } from './json.js';
import type { Texts } from './lang/en.js';

/** The calls that a form of the page can make. */
export type Call = 'estimate' | 'train';

/** A model that is read from files or from the Hub: how far that is, and why it did not come to anything. */
export interface Reading {
  /** Why the last one could not be read. */
  note: string;
  /** What is being fetched. */
  busy: string;
  /** A repository with several files of weights: one of them has to be chosen. */
  choices: { name: string; reference: HubReference }[];
  /** The file that a link was made for and that it could not hold. */
  missing: string;
  /** The files of the model that is shown. */
  name: string | undefined;
  /** What the reader of that model warned of. */
  found: Problem[];
}

export const kNoReading: Reading = { note: '', busy: '', choices: [], missing: '', name: undefined, found: [] };

export interface Host {
  readonly client: Client | undefined;
  /** The client, once it can do more than estimate, and how it comes to that. */
  readonly whole: Client | undefined;
  bringWhole(): Promise<Client>;
  readonly description: Description | undefined;
  readonly texts: Texts;
  readonly format: Format;
  readonly call: Call;
  /** What stands in the form, and the request of the last good answer. */
  readonly request: JsonObject;
  readonly answered: JsonObject;
  /** What the core was asked for the last good answer: the request with the page's own choice of an engine. */
  readonly asked: JsonObject;
  readonly answer: Answer | undefined;
  readonly problems: Problem[];
  readonly reading: Reading;
  /** The first answer has been painted, and what lies below it may follow. */
  readonly settled: boolean;
  /** Sets one member of the request. */
  put(path: string, value: Json | undefined): void;
  /** Takes another request in its place; `path` is what changed in it, for the browser's history. */
  replace(request: JsonObject, path: string): void;
  field(path: string): Field | undefined;
  wordsOf(problem: Problem): string;
  readFiles(files: File[]): Promise<void>;
  readText(text: string, name: string): Promise<void>;
  fetchModel(reference: HubReference): Promise<void>;
  stopReading(): void;
  querySelector<E extends Element>(selector: string): E | null;
}
