// Pages as VitePress makes them: Vue draws them on the server, hydrates them in the browser, and changes them without loading.
import { createSSRApp, defineComponent, h, onMounted, ref } from "vue";

const First = defineComponent({
  setup() {
    const device = ref("rtx-4090"), heard = ref("");
    return () => h("div", { class: "vp-doc" }, [
      h("h1", "Memory"),
      h("weigh-bridge", { model: "meta-llama/Llama-3.1-8B", weights: "Q4_K_M", device: device.value, devices: 1, onChange: (event) => { if (event.detail) heard.value = event.detail.answer.ok ? "heard an answer" : "heard a problem"; } },
        "About 4.9 GB of weights: fits on a 24 GB card."),
      h("button", { id: "device", onClick: () => { device.value = "h100-sxm-80gb"; } }, "On an H100"),
      h("p", { id: "heard" }, heard.value),
    ]);
  },
});
const kRequest = { model: "Qwen/QwQ-32B", weights: "bf16", device: "h100-sxm-80gb", devices: 1 };
const Second = defineComponent({ setup: () => () => h("div", { class: "vp-doc" }, [h("h1", "Second"), h("weigh-bridge", { request: kRequest }, "About 66 GB of weights.")]) });

export const makeApp = () => createSSRApp({
  setup() {
    const at = ref("first");
    onMounted(() => addEventListener("popstate", () => { at.value = new URLSearchParams(location.search).get("page") ?? "first"; }));
    const go = (to) => (event) => {
      event.preventDefault();
      history.pushState(null, "", `?page=${to}`);
      at.value = to;
    };
    return () => h("div", { class: "Layout" }, [
      h("nav", [h("a", { href: "?page=first", onClick: go("first") }, "First"), " ", h("a", { href: "?page=second", onClick: go("second") }, "Second")]),
      h("button", { id: "theme", onClick: () => document.documentElement.classList.toggle("dark") }, "Theme"),
      at.value === "second" ? h(Second, { key: "second" }) : h(First, { key: "first" }),
    ]);
  },
});
