import { renderToString } from "vue/server-renderer";

import { makeApp } from "./app.mjs";

export const html = () => renderToString(makeApp());
