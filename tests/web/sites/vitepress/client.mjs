import { makeApp } from "./app.mjs";

const start = () => makeApp().mount("#app");
// The element may be there before the framework, or after it: the address says which is tried.
if (location.hash === "#late") customElements.whenDefined("weigh-bridge").then(() => setTimeout(start, 300));
else start();
