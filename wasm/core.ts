// One instance of the WebAssembly module, as texts in and texts out: the other side of bindings.cpp.

export interface Core {
  version(): string;
  describe(): string;
  estimate(request: string): string;
  train(request: string): string;
  plan(request: string): string;
  sweep(request: string): { json: string; values: Float64Array };
  read_model(files: { name: string; bytes: Uint8Array; size: number }[]): string;
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize?(): void;
  room(size: number): number;
  length(): number;
  values(): number;
  count(): number;
  file(bytes: number, size: number): number;
  [call: string]: unknown;
}

const kNoSuchCall = 52; // WASI's ENOSYS

/** What the module's C library would ask of a system: there is none. */
export function importsOf(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => kNoSuchCall;
  return imports;
}

export function coreOf(instance: WebAssembly.Instance): Core {
  const e = instance.exports as unknown as Exports;
  e._initialize?.();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // The memory moves when it grows, so a view is made when it is needed.
  const put = (at: number, bytes: Uint8Array): void => new Uint8Array(e.memory.buffer).set(bytes, at);
  const give = (text: string): void => {
    const bytes = new TextEncoder().encode(text);
    put(e.room(bytes.length), bytes);
  };
  const ask = (call: string): string => {
    const at = (e[call] as () => number)();
    return decoder.decode(new Uint8Array(e.memory.buffer, at, e.length()));
  };
  const plain = (call: string) => (request: string): string => {
    give(request);
    return ask(call);
  };
  const sweep = plain('sweep');
  return {
    version: () => ask('version'),
    describe: () => ask('describe'),
    estimate: plain('estimate'),
    train: plain('train'),
    plan: plain('plan'),
    sweep: (request) => {
      const json = sweep(request);
      return { json, values: new Float64Array(e.memory.buffer, e.values(), e.count()).slice() };
    },
    read_model: (files) => {
      for (const { name, bytes, size } of files) {
        give(name);
        put(e.file(bytes.length, size), bytes);
      }
      return ask('read_model');
    },
  };
}
