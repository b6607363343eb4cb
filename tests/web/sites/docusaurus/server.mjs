import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { App } from "./app.mjs";

export const html = () => renderToString(createElement(App, { path: "first" }));
