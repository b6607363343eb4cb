// A stand-in for the Hugging Face Hub: its addresses, error codes, ranges and redirects, from files in memory.
import { createServer } from "node:http";

/**
 * repositories: { "org/name": { files: { path: Buffer | string }, gated?, private?, redirect?, noRange?, cut?, hang?, status?, task? } }
 * Answers { url, asked, close() }; `asked` holds each request as { path, range, sent, left }: `sent` counts the bytes that went out, `left` says that the asker went away before the end.
 */
export async function hubServer(repositories) {
  const asked = [];
  let storage;
  const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "X-Error-Code,Content-Range,X-Linked-Size,Accept-Ranges", "cache-control": "no-store" };

  const send = async (request, response, content, record, { noRange, drip, cut } = {}) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    let body = Buffer.from(content), status = 200;
    const headers = { ...cors, "content-type": "application/octet-stream" };
    if (range && !noRange) {
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]) + 1, body.length)];
      if (from >= body.length) return response.writeHead(416, cors).end();
      headers["content-range"] = `bytes ${from}-${to - 1}/${body.length}`;
      body = body.subarray(from, to);
      status = 206;
    }
    headers["content-length"] = String(body.length);
    response.writeHead(status, headers);
    response.on("error", () => {});
    response.setMaxListeners(0);
    for (let at = 0; at < body.length && !response.destroyed; at += 65536) {
      const part = body.subarray(at, at + 65536);
      record.sent += part.length;
      if (!response.write(part)) await new Promise((done) => { response.once("drain", done); response.once("close", done); });
      if (cut && at > 0) return response.destroy();
      if (drip) await new Promise((done) => setTimeout(done, drip));
    }
    response.end();
  };

  const answer = async (request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    const record = { path: url.pathname, range: request.headers.range, sent: 0, left: false };
    asked.push(record);
    response.on("close", () => { record.left = !response.writableFinished; });
    const fail = (status, code, text = "") => response.writeHead(status, { ...cors, ...(code ? { "x-error-code": code } : {}) }).end(text);
    const [, api, org, name] = /^\/(api\/models\/)?([^/]+)\/([^/]+)/.exec(url.pathname) ?? [];
    const repository = repositories[`${org}/${name}`];
    if (!repository || repository.private) return fail(401, "RepoNotFound", "Repository not found");
    if (repository.status) return fail(repository.status);
    if (repository.hang) return undefined;
    if (api) return send(request, response, JSON.stringify({ id: `${org}/${name}`, pipeline_tag: repository.task, siblings: Object.keys(repository.files).map((rfilename) => ({ rfilename })) }), record);
    if (repository.gated) return fail(repository.gated, "GatedRepo", "Access is restricted");
    const [, revision, path] = /^\/[^/]+\/[^/]+\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    if (revision !== "main") return fail(404, "RevisionNotFound");
    const content = repository.files[decodeURIComponent(path)];
    if (content === undefined) return fail(404, "EntryNotFound");
    if (repository.redirect && !path.endsWith(".json")) return response.writeHead(302, { ...cors, location: `${storage.url}${url.pathname.slice(1)}` }).end();
    return send(request, response, content, record, repository);
  };

  const listen = async (handler) => {
    const server = createServer((request, response) => void handler(request, response).catch(() => response.destroy()));
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((done) => (server.close(done), server.closeAllConnections?.())) };
  };
  const hub = await listen(answer);
  // Large files lie on another host, as they do at the Hub.
  storage = await listen(async (request, response) => {
    const record = { path: `storage:${request.url}`, range: request.headers.range, sent: 0 };
    asked.push(record);
    const [, org, name, path] = /^\/([^/]+)\/([^/]+)\/resolve\/[^/]+\/(.+)$/.exec(request.url) ?? [];
    return send(request, response, repositories[`${org}/${name}`].files[decodeURIComponent(path)], record, repositories[`${org}/${name}`]);
  });
  return { url: hub.url, storage: storage.url, asked, close: async () => { await hub.close(); await storage.close(); } };
}
