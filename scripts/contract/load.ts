/**
 * The contract as buf reads it, with the comments that the generated code leaves out. What is not of `lanista.v1` (the
 * executor's interface, gRPC's health service) is others' and has no place in our reference.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  fromBinary,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";
import { type Access, access } from "@lanista/api/gen/lanista/v1/access_pb";

export const PACKAGE = "lanista.v1";
const root = join(import.meta.dirname, "..", "..");

export interface Contract {
  /** In the order of their names. */
  readonly services: readonly DescService[];
}

/** Throws what buf says where the protos do not compile. */
export function loadContract(): Contract {
  const bytes = execFileSync(join(root, "node_modules/.bin/buf"), ["build", "--as-file-descriptor-set", "-o", "-"], {
    cwd: join(root, "proto"),
    maxBuffer: 64 * 2 ** 20,
  });
  const files: DescFile[] = [...createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)).files];
  const ours = files.filter((file) => file.proto.package === PACKAGE);
  const services = ours.flatMap((file) => file.services);
  return { services: services.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** What stands above it in the proto, its lines joined; empty where there is nothing. */
export function commentOf(
  desc: DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue | DescOneof,
): string {
  const text = getComments(desc).leading ?? "";
  return text
    .split("\n")
    .map((line) => line.trim())
    .join(" ")
    .trim();
}

/** Throws for a method that carries none: such a one can be called by nobody. */
export function accessOf(method: DescMethod): Access {
  if (!hasOption(method, access)) throw new Error(`${method.parent.typeName}/${method.name} has no access option`);
  return getOption(method, access);
}

export const streams = (method: DescMethod): boolean => method.methodKind !== "unary";

/** Without the package: `Job.State`. */
export function shortName(desc: DescMessage | DescEnum): string {
  return desc.typeName.startsWith(`${PACKAGE}.`) ? desc.typeName.slice(PACKAGE.length + 1) : desc.typeName;
}

/** These messages and all they hold, each once, as they are met. */
export function reachable(from: readonly DescMessage[]): ReadonlySet<DescMessage> {
  const found = new Set<DescMessage>();
  const visit = (message: DescMessage): void => {
    if (found.has(message) || !message.typeName.startsWith(`${PACKAGE}.`)) return;
    found.add(message);
    for (const { message: inner } of message.fields) if (inner !== undefined) visit(inner);
  };
  from.forEach(visit);
  return found;
}
