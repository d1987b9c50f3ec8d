/** What the commands of `lanista course` share. */
import type { LanistaClient } from "@lanista/api/client";
import type { Command } from "commander";
import { pages } from "../../remote/remote.ts";
import { UsageError } from "../../usage-error.ts";

/** Makes a command of a group's. */
export type Sub = (name: string, description: string, example: string) => Command;

export const TASK = "the task, as COURSE/TASK or by its id";

/** By id, or by an address of the course's. Throws UsageError. */
export async function memberId(client: LanistaClient, space: string, idOrEmail: string): Promise<string> {
  if (!idOrEmail.includes("@")) return idOrEmail;
  for await (const { members } of pages((page) => client.spaces.listMembers({ space, page }))) {
    const found = members.find(({ email }) => email === idOrEmail.toLowerCase());
    if (found !== undefined) return found.userId;
  }
  throw new UsageError(`nobody in the course has the address ${idOrEmail}`);
}
