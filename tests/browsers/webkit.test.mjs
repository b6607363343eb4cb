import { webkit, webkitPaths } from "./drivers.mjs";
import { mainPaths } from "./paths.mjs";

mainPaths("WebKitGTK", webkit, webkitPaths() ? undefined : "WebKitWebDriver, its MiniBrowser or Xvfb is missing (packages webkit2gtk-driver, xvfb)");
