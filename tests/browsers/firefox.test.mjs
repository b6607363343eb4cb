import { firefox, firefoxPath } from "./drivers.mjs";
import { mainPaths } from "./paths.mjs";

mainPaths("Firefox", firefox, firefoxPath() ? undefined : "there is no Firefox (package firefox-esr)");
