import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Plugin, defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const kDist = process.env['WEIGHBRIDGE_DIST'] ?? here('../dist');

// What may run on the site: its own scripts and its own WebAssembly, nothing else. Styles of MathML and SVG are attributes of ours.
const kPolicy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'",
].join('; ');

/** The policy, and early fetches of everything that the first answer needs. */
function head(): Plugin {
  return {
    name: 'weighbridge-head',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: kPolicy }, injectTo: 'head-prepend' },
        ...Object.keys(bundle ?? {})
          .filter((file) => file.endsWith('.wasm'))
          .map((file) => ({ tag: 'link', attrs: { rel: 'preload', as: 'fetch', type: 'application/wasm', crossorigin: 'anonymous', href: `./${file}` }, injectTo: 'head' as const })),
      ],
    },
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

export default defineConfig(({ mode }) => {
  const single = mode === 'single';
  const embed = mode === 'embed';
  const outDir = single ? kDist : embed ? `${kDist}/embed` : `${kDist}/site`;
  return {
    root: here('.'),
    base: './',
    publicDir: false,
    resolve: { alias: { '#core': here(single || embed ? '../wasm/inline.ts' : '../wasm/loader.ts') } },
    plugins: single ? [viteSingleFile({ removeViteModuleLoader: true }), oneFile('weighbridge.html')] : embed ? [] : [head()],
    build: {
      target: 'es2022',
      outDir,
      emptyOutDir: !single, // the single file lies beside the folders of the others
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // One module with its exports (not lib mode, which leaves its whitespace), or the glue of the WebAssembly module apart, so that its size can be told.
      rollupOptions: embed
        ? { input: here('src/embed-define.ts'), preserveEntrySignatures: 'strict', output: { entryFileNames: 'weigh-bridge.js', inlineDynamicImports: true } }
        : single ? {} : { output: { manualChunks: (id) => (id.endsWith('/module/weighbridge.mjs') ? 'glue' : undefined) } },
    },
  };
});
