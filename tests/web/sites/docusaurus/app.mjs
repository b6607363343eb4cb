// Pages as Docusaurus makes them: React draws them on the server, hydrates them in the browser, and changes them without loading.
import { createElement as h, useEffect, useRef, useState } from "react";

function First() {
  const [device, setDevice] = useState("rtx-4090");
  const [heard, setHeard] = useState("");
  const element = useRef(null);
  useEffect(() => {
    const listen = (event) => setHeard(event.detail.answer.ok ? "heard an answer" : "heard a problem");
    const one = element.current;
    one.addEventListener("change", listen);
    return () => one.removeEventListener("change", listen);
  }, []);
  return h("article", { className: "markdown" },
    h("h1", null, "Memory"),
    h("weigh-bridge", { ref: element, model: "meta-llama/Llama-3.1-8B", weights: "Q4_K_M", device, devices: 1 }, "About 4.9 GB of weights: fits on a 24 GB card."),
    h("button", { id: "device", onClick: () => setDevice("h100-sxm-80gb") }, "On an H100"),
    h("p", { id: "heard" }, heard));
}

const kRequest = { model: "Qwen/QwQ-32B", weights: "bf16", device: "h100-sxm-80gb", devices: 1 };
const Second = () => h("article", { className: "markdown" }, h("h1", null, "Second"), h("weigh-bridge", { request: kRequest }, "About 66 GB of weights."));

export function App({ path }) {
  const [at, setAt] = useState(path);
  const [dark, setDark] = useState(false);
  useEffect(() => {
    const follow = () => setAt(new URLSearchParams(location.search).get("page") ?? "first");
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  useEffect(() => { document.documentElement.dataset.theme = dark ? "dark" : "light"; }, [dark]);
  const go = (to) => (event) => {
    event.preventDefault();
    history.pushState(null, "", `?page=${to}`);
    setAt(to);
  };
  return h("div", { id: "__docusaurus_skipToContent" },
    h("nav", null, h("a", { href: "?page=first", onClick: go("first") }, "First"), " ", h("a", { href: "?page=second", onClick: go("second") }, "Second")),
    h("button", { id: "theme", onClick: () => setDark(!dark) }, "Theme"),
    at === "second" ? h(Second, { key: "second" }) : h(First, { key: "first" }));
}
