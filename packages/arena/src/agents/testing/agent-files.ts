import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import type { AgentLanguage } from "../types.ts";
import { Conversation } from "./conversation.ts";

const folders: string[] = [];
const conversations: Conversation[] = [];

afterEach(async () => {
  for (const conversation of conversations.splice(0)) {
    conversation.kill();
    await conversation.ended;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of the test's own with these files in it, `run` executable; removed when the test ends. */
export function agentFiles(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "lanista-agent-"));
  folders.push(dir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
    if (path === "run") chmodSync(join(dir, path), 0o755);
  }
  return dir;
}

/** An agent's process with these files; killed when the test ends. */
export function converse(language: AgentLanguage, files: Record<string, string>, interpreter?: string): Conversation {
  const conversation = new Conversation(language, agentFiles(files), interpreter);
  conversations.push(conversation);
  return conversation;
}
