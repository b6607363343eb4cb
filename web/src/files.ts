// Models from files: the beginning of each, and more of it for as long as the core asks. A file of 40 GB is not read whole.

import type { Client, ModelFile, Problem } from './contract.js';
import type { Format } from './format.js';
import type { JsonObject } from './json.js';
import type { MoreTexts } from './lang/en-more.js';
import { plainSentence } from './text.js';

/** A file whose beginning can be read: on this machine, or on the Hub. */
export interface Source {
  name: string;
  /** Of the whole file; it may become known with the first bytes. */
  readonly size: number;
  /** How much of it to read first, when that is not the usual. */
  readonly first?: number;
  /** At least `bytes` from its start, or all of it. */
  read(bytes: number): Promise<Uint8Array>;
}

export interface ReadModel {
  model: JsonObject;
  name: string;
  /** Warnings and notes about this model. */
  problems: Problem[];
}

/** What stands in the way, in the reader's language. */
export class Unreadable extends Error {}

export interface Words {
  texts: MoreTexts;
  format: Format;
  wordsOf: (problem: Problem) => string;
}

const kMostOfOneFile = 64 << 20;
const kFirstBytes = 1 << 20;
const kMostFiles = 256;

const isWeights = (name: string): boolean => /\.(gguf|safetensors)$/i.test(name);
const isConfig = (name: string): boolean => /(^|\/)config\.json$/i.test(name);
const isIndex = (name: string): boolean => /\.safetensors\.index\.json$/i.test(name);
const isWhole = (name: string): boolean => /\.json$/i.test(name);

/** What of these files describes a model. A single file is taken for one whatever its name, unless it cannot be one. */
function chosen(files: File[], words: Words): File[] {
  const wanted = files.filter((f) => isWeights(f.name) || isConfig(f.name) || isIndex(f.name));
  if (wanted.length > 0) return wanted.slice(0, kMostFiles);
  const [only, second] = files;
  if (only && !second) {
    if (/^(image|video|audio)\//.test(only.type) || /\.(bin|pt|pth|ckpt|onnx|zip|tar|gz|pdf|docx?|xlsx?)$/i.test(only.name))
      throw new Unreadable(plainSentence(words.texts.noModelFile, { name: only.name }));
    return [only];
  }
  const json = files.filter((f) => /\.json$/i.test(f.name));
  if (json.length === 1) return json;
  throw new Unreadable(plainSentence(words.texts.noModelFile, { name: files.map((f) => f.name).slice(0, 3).join(words.texts.separator) }));
}

export async function readFiles(client: Client, files: File[], words: Words): Promise<ReadModel> {
  const wanted = chosen(files, words);
  const large = wanted.find((f) => f.size > kMostOfOneFile && isWhole(f.name));
  if (large) throw new Unreadable(plainSentence(words.texts.fileTooLarge, { name: large.name, size: words.format.bytes(large.size) }));
  const sources = wanted.map((file): Source => ({
    name: file.name,
    size: file.size,
    read: async (bytes) => {
      try {
        return new Uint8Array(await file.slice(0, bytes).arrayBuffer());
      } catch {
        throw new Unreadable(plainSentence(words.texts.fileGone, { name: file.name }));
      }
    },
  }));
  return readSources(client, sources, words);
}

/** Files of a drop, and what lies directly in its folders. */
export async function readDropped(client: Client, files: File[], entries: (FileSystemEntry | null)[], words: Words): Promise<ReadModel> {
  const folders = entries.filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
  const names = new Set(folders.map((folder) => folder.name));
  const inside = (await Promise.all(folders.map((folder) => filesIn(folder, words)))).flat();
  return readFiles(client, [...files.filter((file) => !names.has(file.name)), ...inside], words);
}

async function filesIn(folder: FileSystemDirectoryEntry, words: Words): Promise<File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0 || files.length > 4 * kMostFiles) break;
    for (const entry of some)
      if (entry.isFile && (isWeights(entry.name) || isConfig(entry.name) || isIndex(entry.name)))
        files.push(await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed)));
  }
  if (files.length === 0) throw new Unreadable(plainSentence(words.texts.emptyFolder, { name: folder.name }));
  return files;
}

export function readText(client: Client, text: string, name: string, words: Words): ReadModel {
  try {
    const value: unknown = JSON.parse(text.replaceAll(/\bNaN\b|-?\bInfinity\b/g, 'null'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError(text.slice(0, 20));
  } catch (error) {
    throw new Unreadable(plainSentence(words.texts.pasteFailed, { reason: (error as Error).message }));
  }
  return taken(client.readModel([{ name, text }]), name, words);
}

type Read = ReturnType<Client['readModel']>;

function taken(read: Read, name: string, words: Words): ReadModel {
  if (!read.ok || !read.model) throw new Unreadable(read.problems.filter((p) => p.severity === 'error').map(words.wordsOf).join(' '));
  return { model: read.model, name, problems: read.problems };
}

export async function readSources(client: Client, sources: Source[], words: Words): Promise<ReadModel> {
  const given = await Promise.all(sources.map((source) => beginning(source, isWhole(source.name) ? kMostOfOneFile : (source.first ?? kFirstBytes))));
  let read: Read;
  for (;;) {
    read = client.readModel(given);
    const more = read.problems.filter((p) => p.code === 'needs_more_bytes');
    if (more.length === 0) break;
    for (const problem of more) {
      const i = Number(problem.path.split('/')[1]);
      const bytes = problem.params['bytes'];
      const source = sources[i];
      if (typeof bytes !== 'number' || bytes > kMostOfOneFile || !source || bytes <= (given[i]?.bytes?.length ?? 0)) throw new Unreadable(words.wordsOf(problem));
      given[i] = await beginning(source, bytes + (source.first ?? kFirstBytes)); // what follows a tokenizer comes with it
    }
  }
  const name = sources.length > 3 ? `${sources[0]!.name} + ${sources.length - 1}` : sources.map((s) => s.name).join(' + ');
  // Weights that cannot be used beside a config.json that can: the shapes are known, and the rest is said.
  const config = sources.findIndex((s) => isConfig(s.name));
  const errors = read.problems.filter((p) => p.severity === 'error');
  if (!read.ok && sources.length > 1 && config >= 0 && errors.every((p) => !p.path.startsWith(`/${config}/`) && p.path !== `/${config}`)) {
    const alone = client.readModel([given[config]!]);
    if (alone.ok) return { ...taken(alone, sources[config]!.name, words), problems: [...errors.map((p): Problem => ({ ...p, severity: 'warning' })), ...alone.problems] };
  }
  return taken(read, name, words);
}

async function beginning(source: Source, bytes: number): Promise<ModelFile> {
  const read = await source.read(bytes);
  const size = Math.max(source.size, read.length);
  return { name: source.name, bytes: read, size };
}
