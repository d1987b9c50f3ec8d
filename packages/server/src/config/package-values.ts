/** Settings of packages as a server hands them to the worker beside it: in a variable, for its arguments everybody on the host can read. */
import { z } from "zod";
import { PACKAGE_SETTINGS, type PackageValues } from "./package-settings.ts";
import { schemaOf } from "./schema.ts";

export const PACKAGES_VARIABLE = "LANISTA_WORKER_PACKAGES";

const schema = z.strictObject(
  Object.fromEntries(Object.entries(PACKAGE_SETTINGS).map(([name, setting]) => [name, schemaOf(setting)])),
);

/** Throws on what is none of ours. */
export const readPackageValues = (text: string): PackageValues => schema.parse(JSON.parse(text)) as PackageValues;
