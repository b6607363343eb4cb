import { createElement } from "react";
import { hydrateRoot } from "react-dom/client";

import { App } from "./app.mjs";

const start = () => hydrateRoot(document.getElementById("__docusaurus"), createElement(App, { path: "first" }), { onRecoverableError: (error) => console.error("hydration:", error.message) });
// The element may be there before the framework, or after it: the address says which is tried.
if (location.hash === "#late") customElements.whenDefined("weigh-bridge").then(() => setTimeout(start, 300));
else start();
