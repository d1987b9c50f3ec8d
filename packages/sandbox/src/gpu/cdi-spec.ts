/** A file of the Container Device Interface (CDI 1.0), JSON or YAML: what a vendor says that a container needs for its devices. */
import { parse } from "yaml";
import { z } from "zod";

const path = z.string().regex(/^\/[^\0\n]{0,4000}$/, "an absolute path");
const id = z.number().int().nonnegative();

const deviceNode = z.strictObject({
  path,
  hostPath: path.optional(),
  type: z.enum(["b", "c", "u", "p"]).optional(),
  major: z.number().int().optional(),
  minor: z.number().int().optional(),
  fileMode: id.optional(),
  permissions: z
    .string()
    .regex(/^[rwm]{0,3}$/)
    .optional(),
  uid: id.optional(),
  gid: id.optional(),
});
const mount = z.strictObject({
  hostPath: path,
  containerPath: path,
  options: z.array(z.string().max(200)).max(50).optional(),
  type: z.string().max(50).optional(),
});
const hook = z.looseObject({ hookName: z.string().max(100), path: z.string().max(4000) });
const edits = z.strictObject({
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]{0,4000}$/))
    .max(200)
    .optional(),
  deviceNodes: z.array(deviceNode).max(500).optional(),
  mounts: z.array(mount).max(1000).optional(),
  hooks: z.array(hook).max(200).optional(),
  additionalGids: z.array(id).max(100).optional(),
});

const cdiSpec = z.strictObject({
  cdiVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  kind: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,250}\/[A-Za-z0-9][A-Za-z0-9_.-]{0,250}$/),
  annotations: z.record(z.string(), z.string()).optional(),
  containerEdits: edits.optional(),
  devices: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,250}$/),
        annotations: z.record(z.string(), z.string()).optional(),
        containerEdits: edits,
      }),
    )
    .max(1000),
});

export type CdiSpec = z.infer<typeof cdiSpec>;
export type CdiEdits = z.infer<typeof edits>;

/** Throws on what is no such file, with the place. JSON is YAML. */
export function readCdiSpec(text: string): CdiSpec {
  const found = cdiSpec.safeParse(parse(text, { maxAliasCount: 0 }));
  if (found.success) return found.data;
  const { path, message } = found.error.issues[0]!;
  throw new Error(`${path.join(".") || "the file"}: ${message}`);
}
