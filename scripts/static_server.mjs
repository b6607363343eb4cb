#!/usr/bin/env node
// Serves a folder on 127.0.0.1, as any static host would: gzip, types, no listing, nothing outside the folder.
//
//   node scripts/static_server.mjs --root DIR [--port N] [--prefix /sub/path/]
//
// When the port is taken the next free one is used; 0 takes any. Also a module: serve({root, port, prefix, headers, types, gzip}),
// where headers may be a function of the path in the folder, and types overrides some of the types below.
import { readFile, realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const kTypes = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8", ".json": "application/json; charset=utf-8", ".svg": "image/svg+xml", ".wasm": "application/wasm",
  ".png": "image/png", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
};
const kPacked = new Set([".html", ".js", ".mjs", ".css", ".json", ".svg", ".wasm", ".webmanifest", ".txt", ".md"]);

// Files that have a hash of their content in their name never change; all others are asked for again.
const kForever = /(^|\/)assets\/[^/]+-[\w-]{8}\.\w+$/;

/** Answers {url, port, close()}. */
export async function serve({ root, port = 0, prefix = "/", headers: more = {}, types = {}, gzip = true, attempts = 1 }) {
  const folder = await realpath(root);
  const packed = new Map();                        // path and time of change -> gzip

  const answer = async (request, response) => {
    let headers = typeof more === "function" ? {} : more;
    const send = (status, body, own = {}) => response.writeHead(status, { "content-length": body.length, ...own, ...headers }).end(request.method === "HEAD" ? undefined : body);
    const none = (status, text) => send(status, Buffer.from(`${text}\n`), { "content-type": "text/plain; charset=utf-8" });
    if (request.method !== "GET" && request.method !== "HEAD") return none(405, "Only GET and HEAD.");
    let path;
    try {
      path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    } catch {
      return none(400, "This address is broken.");
    }
    if (!path.startsWith(prefix) || path.includes("\0")) return none(404, "Nothing here.");
    let file = resolve(folder, path.slice(prefix.length));
    if (typeof more === "function") headers = more(path.slice(prefix.length));
    if (path.endsWith("/")) file = join(file, "index.html");
    try {
      file = await realpath(file);
      if (file !== folder && !file.startsWith(folder + sep)) return none(404, "Nothing here.");
      const { mtimeMs, size } = await stat(file);
      const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
      const type = types[extname(file)] ?? kTypes[extname(file)] ?? "application/octet-stream";
      const cache = kForever.test(path) ? "public, max-age=31536000, immutable" : "no-cache";
      const common = { "content-type": type, etag: tag, "cache-control": cache, "x-content-type-options": "nosniff" };
      if (request.headers["if-none-match"] === tag) return void response.writeHead(304, { ...common, ...headers }).end();
      const body = await readFile(file);
      if (!gzip || !kPacked.has(extname(file)) || !/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return send(200, body, common);
      const key = `${file} ${tag}`;
      if (!packed.has(key)) packed.set(key, gzipSync(body, { level: 9 }));
      send(200, packed.get(key), { ...common, "content-encoding": "gzip", vary: "accept-encoding" });
    } catch {
      none(404, "Nothing here.");
    }
  };

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  for (let i = 0; ; ++i) {
    try {
      await new Promise((done, failed) => {
        server.once("error", failed);
        server.listen(port === 0 ? 0 : port + i, "127.0.0.1", () => (server.off("error", failed), done()));
      });
      break;
    } catch (error) {
      if (error.code !== "EADDRINUSE" || i + 1 >= attempts) throw error;
    }
  }
  const taken = server.address().port;
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}${prefix}`,
    close: () => new Promise((done) => (server.close(done), server.closeAllConnections?.())),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = { root: "dist/site", port: "8080", prefix: "/" };
  for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].replace(/^--/, "")] = process.argv[i + 1];
  const { url } = await serve({ root: options.root, prefix: options.prefix, port: Number(options.port), attempts: 20 });
  console.log(`Weighbridge is at ${url}   (Ctrl+C ends it)`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
}
