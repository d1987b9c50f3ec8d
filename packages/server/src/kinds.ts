/** Every kind of job this server knows, by its name. */
import type { App } from "./app.ts";

export function jobKinds(): App["kinds"] {
  return new Map();
}
