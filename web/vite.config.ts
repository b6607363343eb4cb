import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Plugin, defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { viteSingleFile } from 'vite-plugin-singlefile';

import { firstAnswer } from './prerender.mjs';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const kDist = process.env['WEIGHBRIDGE_DIST'] ?? here('../dist');

// What may run on the site: its own scripts and its own WebAssembly, nothing else. Styles of MathML and SVG are attributes of ours.
const kHubHosts = 'https://huggingface.co https://*.huggingface.co https://*.hf.co'; // the Hub, and where it redirects for large files: asked on a click only
const kPolicy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", `connect-src 'self' ${kHubHosts}`,
  "manifest-src 'self'", "worker-src 'self'", "base-uri 'none'", "form-action 'none'",
].join('; ');

/** The answer to the default request, in the page before any script has run; and the script that hides it where another is asked for. */
function firstPaint(): Plugin {
  return {
    name: 'weighbridge-first-paint',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'start.js', source: readFileSync(here('start.js')) });
    },
    transformIndexHtml: {
      order: 'pre',
      handler: async (html) => {
        const first = await firstAnswer();
        const split = first.indexOf('<main');
        return html
          .replace(/<header>.*<\/header>/, () => first.slice(0, split))
          .replace('<p class="late">', () => `<div class="still">${first.slice(split)}</div><p class="late">`)
          .replace('<script type="module"', '<script src="./start.js" vite-ignore></script><script type="module"');
      },
    },
  };
}

/** The policy, and where the calculator is, so that it can be fetched beside the scripts that call it (src/main.ts). */
function head(): Plugin {
  return {
    name: 'weighbridge-head',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: kPolicy }, injectTo: 'head-prepend' },
        ...Object.keys(bundle ?? {})
          .filter((file) => /weighbridge_estimate[^/]*\.lzma$/.test(file))
          .map((file) => ({ tag: 'link', attrs: { rel: 'later', as: 'fetch', crossorigin: 'anonymous', href: `./${file}` }, injectTo: 'head' as const })),
      ],
    },
  };
}

/** The site as an installed page: everything is kept for offline use, and a new version waits until the reader takes it (src/offline.ts). */
const installable = (): Plugin[] => [
  {
    name: 'weighbridge-icons',
    generateBundle() {
      for (const file of readdirSync(here('icons'))) this.emitFile({ type: 'asset', fileName: `icons/${file}`, source: readFileSync(here(`icons/${file}`)) });
    },
    transformIndexHtml: () => [{ tag: 'link', attrs: { rel: 'apple-touch-icon', href: './icons/apple-touch.png' }, injectTo: 'head' }],
  },
  ...VitePWA({
    registerType: 'prompt',
    injectRegister: false,
    scope: './', // of any path of any host
    manifestFilename: 'weighbridge.webmanifest',
    manifest: {
      start_url: './', scope: './', name: 'Weighbridge', short_name: 'Weighbridge', display: 'standalone', categories: ['utilities', 'developer'],
      description: 'What a language model weighs, how fast it runs, and why', background_color: '#f4f1ea', theme_color: '#f4f1ea',
      icons: [
        { src: 'icons/192.png', sizes: '192x192', type: 'image/png' }, { src: 'icons/512.png', sizes: '512x512', type: 'image/png' },
        { src: 'icons/maskable.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
      ],
    },
    workbox: {
      globPatterns: ['**/*.{html,js,css,lzma,svg,png}'], // the manifest comes by itself
      maximumFileSizeToCacheInBytes: 3 << 20,
      dontCacheBustURLsMatching: /assets\//,
      navigateFallback: null, // the page is one address; what lies beside it on a host is none of ours
      inlineWorkboxRuntime: true,
      cleanupOutdatedCaches: true,
      sourcemap: false,
    },
  }),
];

/** Data that only the lists show, and the calculator does not need: totals that others published, and measurements (which would double the single file). */
function data(single = false): Plugin {
  const made: Record<string, () => unknown> = {
    'virtual:published': () => {
      const folder = here('../core/data/models/');
      const rows = readdirSync(folder).sort().flatMap((file) => JSON.parse(readFileSync(folder + file, 'utf8')) as { id: string; name: string; published_parameters?: number; published_source?: string; published_differs?: string; published_as?: string }[]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return Object.fromEntries(rows.flatMap((row) => {
        const of = row.published_as === undefined ? row : byId.get(row.published_as)!;
        return of.published_parameters ? [[row.id, [of.published_parameters, of.published_source, of.published_differs ?? '', of === row ? '' : of.name]]] : [];
      }));
    },
    'virtual:left-out': () => (single ? [] : (JSON.parse(readFileSync(here('../docs/accuracy/speed.json'), 'utf8')) as { errors: unknown[] }).errors),
    'virtual:measurements': () => {
      const folder = here('../tests/measurements/');
      return single ? [] : readdirSync(folder).sort().filter((file) => file.endsWith('.jsonl')).flatMap((file) => readFileSync(folder + file, 'utf8').split('\n').filter(Boolean).map((text, i) => {
        const { id, request, path, figure, value, source, call } = JSON.parse(text) as Record<string, unknown>;
        return { id: id ?? `${file.replace('.jsonl', '')}-${i + 1}`, call: call ?? (file.startsWith('train') ? 'train' : 'estimate'), request, path: path ?? `speed.${String(figure)}`, value, source };
      })).filter((row) => typeof row.value === 'number' && row.request !== undefined);
    },
  };
  return {
    name: 'weighbridge-data',
    resolveId: (source) => (source in made ? `\0${source}` : undefined),
    load: (source) => (source.startsWith('\0virtual:') && made[source.slice(1)] ? `export default ${JSON.stringify(made[source.slice(1)]!())}` : undefined),
  };
}

/** The single file: under its own name, and with its icon inside. */
function oneFile(name: string): Plugin {
  return {
    name: 'weighbridge-one-file',
    enforce: 'post',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => {
        const icon = readFileSync(here('icon.svg')).toString('base64');
        return html.replace('./icon.svg', `data:image/svg+xml;base64,${icon}`);
      },
    },
    generateBundle(_, bundle) {
      const html = bundle['index.html'];
      if (html) html.fileName = name;
    },
  };
}

// What the first view shares with those that are loaded later, in one file and not in ten.
const kParts = /\/node_modules\/(?!.*\/directives\/repeat\b|workbox)|\/src\/(json|text|request|parts|format|hub_reference)\.ts$/;

export default defineConfig(({ mode }) => {
  const single = mode === 'single';
  const embed = mode === 'embed';
  const outDir = single ? kDist : embed ? `${kDist}/embed` : `${kDist}/site`;
  return {
    root: here('.'),
    base: './',
    publicDir: false,
    resolve: {
      alias: [
        { find: '#core', replacement: here(single || embed ? '../wasm/inline.ts' : '../wasm/first.ts') },
        // The element only estimates.
        ...(embed ? [{ find: /^.*\/module\/weighbridge\.packed\.mjs$/, replacement: here('../build/wasm/module/weighbridge_estimate.packed.mjs') }] : []),
      ],
    },
    plugins: single ? [data(true), viteSingleFile({ removeViteModuleLoader: true }), oneFile('weighbridge.html')] : embed ? [] : [data(), firstPaint(), installable(), head()],
    build: {
      target: 'es2022',
      outDir,
      emptyOutDir: !single, // the single file lies beside the folders of the others
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 2000, // the measurements are long, and loaded with their view alone
      // One module with its exports (not lib mode, which leaves its whitespace), or what speaks to the WebAssembly module apart, so that its size can be told.
      rollupOptions: embed
        ? { input: here('src/embed-define.ts'), preserveEntrySignatures: 'strict', output: { entryFileNames: 'weigh-bridge.js', inlineDynamicImports: true } }
        : single ? {} : { output: { hashCharacters: 'base36', manualChunks: (id) => (/\/wasm\/(core|lzma)\.ts$/.test(id) ? 'glue' : kParts.test(id) ? 'parts' : undefined) } },
    },
  };
});
