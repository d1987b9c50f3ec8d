/**
 * An agent's code on its way into the store. The server opens no archive: a zip goes there as it is, and the worker that
 * plays unpacks it behind its guards. What the code's owner did wrong is no error: his agent gets a bundle that cannot
 * start, and forfeits. What cannot be had is one, for it may be the backend's doing, or ours.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import type { AgentData } from "@lanista/api/gen/executor/executor_pb";
import { BundleError } from "@lanista/arena/agents/types";
import type { ServerConfig } from "../config/config.ts";
import type { BlobStore } from "../store/store.ts";
import { codeSource } from "./code-source.ts";
import { CodeTooLarge, download } from "./download.ts";
import { Gate } from "./gate.ts";
import type { ExecutorLimits } from "./limits.ts";
import { takeLocal } from "./local-code.ts";
import { zipFolder } from "./zip-folder.ts";

/** What a seat of the match job gets, and why its code was not taken, if so. */
export interface TakenCode {
  readonly bundle?: { readonly digest: string; readonly size: number };
  readonly image?: string;
  readonly refused: string;
}

/** Seconds for one agent's code to be fetched. */
const FETCH_SECONDS = 60;
/** Taken in at once by one server. */
const PLACES = 4;
const ZIP_MAGIC = ["504b0304", "504b0506"];

export class CodeTaker {
  readonly #gate = new Gate(PLACES);
  readonly #store: BlobStore;
  readonly #config: ServerConfig["executor"];
  readonly #limits: ExecutorLimits;

  constructor(store: BlobStore, config: ServerConfig["executor"], limits: ExecutorLimits) {
    this.#store = store;
    this.#config = config;
    this.#limits = limits;
  }

  /** Throws LanistaError `invalid`, `unavailable` or `cancelled`; the message names the agent. */
  async take(agent: AgentData, signal: AbortSignal): Promise<TakenCode> {
    try {
      const source = codeSource(agent, this.#config.allowFileFolders);
      if (source.kind === "image") return { image: source.image, refused: "" };
      return await this.#gate.run(async () => {
        if (signal.aborted) throw new LanistaError("cancelled", "the call was cancelled");
        await mkdir(this.#limits.tmpDir, { recursive: true, mode: 0o700 });
        const folder = await mkdtemp(join(this.#limits.tmpDir, "code-"));
        try {
          const file = await this.#fetch(source, folder, signal);
          return { bundle: await this.#keep(file), refused: "" };
        } catch (error) {
          if (!(error instanceof CodeTooLarge || error instanceof BundleError)) throw error;
          return { bundle: await this.#unfit(folder, error.message), refused: error.message };
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      });
    } catch (error) {
      if (!(error instanceof LanistaError)) throw error;
      const { code, hint, field } = error;
      throw new LanistaError(code, `agent ${agent.agentId}: ${error.message}`, { hint, field, cause: error });
    }
  }

  /** A zip's path. */
  async #fetch(
    source: { readonly kind: "url"; readonly url: string } | { readonly kind: "path"; readonly path: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<string> {
    const zip = join(folder, "code.zip");
    const dir = join(folder, "files");
    const { codeBytes } = this.#limits;
    if (source.kind === "path") {
      const taken = await takeLocal(source.path, this.#config.allowFileFolders, { zip, dir }, codeBytes);
      if (taken === "files") await zipFolder(dir, zip);
      else await checkZip(zip);
      return zip;
    }
    const { allowHosts, allowPrivate } = this.#config;
    const got = join(folder, "got");
    const rules = { allowHosts, allowPrivate, maxBytes: codeBytes, seconds: FETCH_SECONDS };
    const url = await download(source.url, got, rules, signal);
    const ending = extname(url.pathname).toLowerCase();
    if (ending !== ".py") {
      await checkZip(got);
      return got;
    }
    await mkdir(dir);
    await writeFile(join(dir, "agent.py"), createReadStream(got));
    await zipFolder(dir, zip);
    return zip;
  }

  /** Into the store, if it is not there already. */
  async #keep(file: string): Promise<{ digest: string; size: number }> {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    const kept = { digest: hash.digest("hex"), size };
    if (!(await this.#store.touch(kept.digest))) await this.#store.putStream(createReadStream(file), kept);
    return kept;
  }

  /** A bundle with nothing in it that could start. */
  async #unfit(folder: string, why: string): Promise<{ digest: string; size: number }> {
    const dir = join(folder, "unfit");
    await mkdir(dir);
    await writeFile(join(dir, "refused.txt"), `${why}\n`);
    const zip = join(folder, "unfit.zip");
    await zipFolder(dir, zip);
    return await this.#keep(zip);
  }
}

/** Only whether it says it is one: nothing in it is looked at here. */
async function checkZip(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead < 4 || !ZIP_MAGIC.includes(buffer.toString("hex")))
      throw new BundleError("corrupt", "the code is no zip archive");
  } finally {
    await file.close();
  }
}
