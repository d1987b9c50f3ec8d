/** A project's page of a package index, as PEP 691 (JSON) or PEP 503 (HTML) has it: the files that it lists. */
import { z } from "zod";

export interface IndexFile {
  readonly filename: string;
  readonly url: URL;
  readonly sha256?: string;
  readonly requiresPython?: string;
  readonly yanked: boolean | string;
  /** Its metadata can be had by itself, at its address with ".metadata" behind it. */
  readonly metadata: boolean | Readonly<Record<string, string>>;
  readonly size?: number;
  readonly uploaded?: string;
}

export const ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

const hashes = z.record(z.string().max(40), z.string().max(200));
const metadata = z.union([z.boolean(), hashes]);
const pageSchema = z.object({
  files: z
    .array(
      z.object({
        filename: z.string().max(300),
        url: z.string().max(4000),
        hashes: hashes.optional(),
        "requires-python": z.string().max(1000).nullish(),
        yanked: z.union([z.boolean(), z.string()]).nullish(),
        "core-metadata": metadata.nullish(),
        "dist-info-metadata": metadata.nullish(),
        size: z.number().int().nonnegative().nullish(),
        "upload-time": z.string().max(100).nullish(),
      }),
    )
    .max(200_000),
});

/** A file's name goes into a path of ours. */
export const FILE_NAME = /^[A-Za-z0-9_.+!-]{1,250}$/;
const SHA256 = /^[0-9a-f]{64}$/;

function fromJson(text: string, base: URL): IndexFile[] {
  return pageSchema.parse(JSON.parse(text)).files.flatMap((file) => {
    const url = URL.parse(file.url, base);
    if (url === null || !FILE_NAME.test(file.filename)) return [];
    const sha256 = file.hashes?.sha256;
    return {
      filename: file.filename,
      url,
      ...(sha256 !== undefined && SHA256.test(sha256) ? { sha256 } : {}),
      ...(file["requires-python"] == null ? {} : { requiresPython: file["requires-python"] }),
      yanked: file.yanked ?? false,
      metadata: file["core-metadata"] ?? file["dist-info-metadata"] ?? false,
      ...(file.size == null ? {} : { size: file.size }),
      ...(file["upload-time"] == null ? {} : { uploaded: file["upload-time"] }),
    };
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const plain = (text: string): string =>
  text.replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });

function attributes(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, double, single, bare] of text.matchAll(
    /([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi,
  ))
    found.set(name!.toLowerCase(), plain(double ?? single ?? bare ?? ""));
  return found;
}

function fromHtml(text: string, page: URL): IndexFile[] {
  const base = attributes(/<base\s([^>]{1,2000})>/i.exec(text)?.[1] ?? "").get("href");
  const from = (base === undefined ? undefined : URL.parse(base, page)) ?? page;
  const files: IndexFile[] = [];
  for (const [, inside, label] of text.matchAll(/<a\s([^>]{1,8000})>([^<]{1,300})<\/a>/gi)) {
    const found = attributes(inside!);
    const url = URL.parse(found.get("href") ?? "", from);
    const filename = plain(label!).trim();
    if (url === null || !FILE_NAME.test(filename)) continue;
    const sha256 = /^#sha256=([0-9a-f]{64})$/.exec(url.hash)?.[1];
    url.hash = "";
    const told = found.get("data-core-metadata") ?? found.get("data-dist-info-metadata");
    const requires = found.get("data-requires-python");
    files.push({
      filename,
      url,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(requires === undefined ? {} : { requiresPython: requires }),
      yanked: found.has("data-yanked") ? found.get("data-yanked") || true : false,
      metadata: told !== undefined && told !== "false",
    });
  }
  return files;
}

/** Throws on what is neither. `page`: where it came from, which what it names is relative to. */
export function readPage(text: string, type: string, page: URL): IndexFile[] {
  if (/\bjson\b/.test(type)) return fromJson(text, page);
  if (/\bhtml\b/.test(type)) return fromHtml(text, page);
  throw new Error(`the index answered with ${type || "something"} instead of a project's page`);
}

/** The page as uv gets it, with addresses of ours; `place` gives each file's. */
export function writePage(name: string, files: readonly IndexFile[], place: (file: IndexFile) => string): string {
  return JSON.stringify({
    meta: { "api-version": "1.1" },
    name,
    files: files.map((file) => ({
      filename: file.filename,
      url: place(file),
      hashes: file.sha256 === undefined ? {} : { sha256: file.sha256 },
      ...(file.requiresPython === undefined ? {} : { "requires-python": file.requiresPython }),
      yanked: file.yanked,
      "core-metadata": file.metadata,
      ...(file.size === undefined ? {} : { size: file.size }),
      ...(file.uploaded === undefined ? {} : { "upload-time": file.uploaded }),
    })),
  });
}
