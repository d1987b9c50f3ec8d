/** Where the files lie that the command reads at run time: in a checkout, and in the published package. */
import { existsSync } from "node:fs";
import { join } from "node:path";

// src/places.ts in a checkout; dist/bundle/main.js in the package, where everything is one file.
const here = import.meta.dirname;
const bundled = existsSync(join(here, "guest"));

/** The folder of starters for `lanista init`. */
export const TEMPLATES_DIR = bundled ? join(here, "..", "..", "templates") : join(here, "..", "templates");

/** The folder of runners that is mounted into sandboxes. */
export const GUEST_DIR = bundled ? join(here, "guest") : join(here, "..", "..", "..", "guest");

/** The folder of what runs in Python on the user's side. */
export const PYTHON_DIR = bundled ? join(here, "..", "..", "python") : join(here, "..", "python");
