// What a page loads: the SDK in one script.
import { use } from "./sdk.mjs";

globalThis.use = use;
