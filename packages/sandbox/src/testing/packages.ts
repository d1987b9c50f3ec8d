/** For tests of Python packages: packages made on the spot, and a uv to build with. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { IndexClient } from "../python/index-client.ts";
import { indexSettings } from "../python/index-settings.ts";
import { pinnedUv } from "../python/uv.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");
export const GUEST_DIR = join(ROOT, "guest");

/** uv's path, fetched once and kept under .cache; null where it cannot be had: then the test is skipped, unless CI is set. */
export async function uvForTests(): Promise<string | null> {
  const settings = indexSettings();
  const client = new IndexClient(settings);
  try {
    const uv = await pinnedUv(join(ROOT, ".cache/uv"), "tests", settings, client);
    return join(uv.folder, "uv");
  } catch (error) {
    if (process.env.CI) throw error;
    return null;
  } finally {
    client.close();
  }
}

const WRITE = `
import io, json, os, sys, tarfile, zipfile
made = json.load(sys.stdin)
if made["path"].endswith(".whl"):
    with zipfile.ZipFile(made["path"], "w") as out:
        for name, text in made["files"].items(): out.writestr(name, text)
else:
    with tarfile.open(made["path"], "w:gz") as out:
        for name, text in made["files"].items():
            info = tarfile.TarInfo(name); info.size = len(text.encode())
            out.addfile(info, io.BytesIO(text.encode()))
`;

function write(path: string, files: Readonly<Record<string, string>>): void {
  execFileSync("python3", ["-c", WRITE], { input: JSON.stringify({ path, files }) });
}

const metadata = (name: string, version: string): string =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`;

/** A wheel of these files; `scripts` become programs in bin/, such as { hello: "module:function" }. */
export function makeWheel(
  folder: string,
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
  scripts: Readonly<Record<string, string>> = {},
): void {
  mkdirSync(folder, { recursive: true });
  const info = `${name}-${version}.dist-info`;
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: metadata(name, version),
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
  };
  const entries = Object.entries(scripts).map(([script, target]) => `${script} = ${target}\n`);
  if (entries.length > 0) all[`${info}/entry_points.txt`] = `[console_scripts]\n${entries.join("")}`;
  all[`${info}/RECORD`] = `${Object.keys(all)
    .map((file) => `${file},,`)
    .join("\n")}\n${info}/RECORD,,\n`;
  write(join(folder, `${name}-${version}-py3-none-any.whl`), all);
}

const BACKEND = `
import os, zipfile
NAME, VERSION = %NAME%, %VERSION%
INFO = NAME + "-" + VERSION + ".dist-info"

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = hostile() or {}
    files[INFO + "/METADATA"] = "Metadata-Version: 2.1\\nName: " + NAME + "\\nVersion: " + VERSION + "\\n"
    files[INFO + "/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[INFO + "/RECORD"] = "".join(name + ",,\\n" for name in list(files) + [INFO + "/RECORD"])
    made = NAME + "-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, made), "w") as out:
        for name, text in files.items():
            out.writestr(name, text)
    return made

`;

/**
 * A source archive that runs \`code\`, the body of a Python function, when it is built; what that returns, a dictionary, becomes the
 * package's files. It brings what builds it along, so that no index is needed.
 */
export function makeSource(folder: string, name: string, version: string, code: string): void {
  mkdirSync(folder, { recursive: true });
  const top = `${name}-${version}`;
  const body = code
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
  write(join(folder, `${top}.tar.gz`), {
    [`${top}/PKG-INFO`]: metadata(name, version),
    [`${top}/pyproject.toml`]: `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n\n[project]\nname = "${name}"\nversion = "${version}"\n`,
    [`${top}/backend.py`]: `${BACKEND.replace("%NAME%", JSON.stringify(name)).replace("%VERSION%", JSON.stringify(version))}def hostile():\n${body}\n`,
  });
}
