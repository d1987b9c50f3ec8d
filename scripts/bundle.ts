/**
 * Makes packages/cli publishable: the workspace's own packages become one file in packages/cli/dist/bundle, beside it
 * what is read at run time (the runners, the page of a replay); npm's packages stay dependencies. Fails if the package
 * does not declare one of them, or in another version than the workspace's package that imports it.
 */
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const cli = join(root, "packages", "cli");
const out = join(cli, "dist", "bundle");

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

const imported = new Set<string>();
/** Bundles @lanista/*; leaves every other package to npm, and remembers it. */
const ownPackagesOnly: Plugin = {
  name: "own-packages-only",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === "entry-point" || path.startsWith("@lanista/")) return undefined;
      if (!path.startsWith("node:")) imported.add(/^(@[^/]+\/)?[^/]+/.exec(path)![0]);
      return { path, external: true };
    });
  },
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  entryPoints: {
    main: join(cli, "src", "main.ts"),
    "program-worker": join(cli, "src", "python", "program-worker.ts"),
  },
  outdir: out,
  bundle: true,
  // What a command loads when it is needed stays apart.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  conditions: ["lanista-source"],
  plugins: [ownPackagesOnly],
  loader: { ".html": "text", ".css": "text" },
  logLevel: "warning",
});
cpSync(join(root, "guest"), join(out, "guest"), {
  recursive: true,
  filter: (path) => !/__pycache__|\.test\./.test(path),
});
cpSync(join(root, "packages", "server", "src", "db", "migrations"), join(out, "migrations"), { recursive: true });
for (const file of ["LICENSE", "README.md"]) cpSync(join(root, file), join(cli, file));

const declared = manifest(cli).dependencies ?? {};
for (const name of imported) {
  const wanted = ["arena", "sandbox", "games", "api", "server"]
    .map((one) => manifest(join(root, "packages", one)).dependencies?.[name])
    .find((version) => version !== undefined);
  const given = declared[name];
  if (given === undefined || (wanted !== undefined && wanted !== given))
    throw new Error(`packages/cli/package.json must have "${name}": "${wanted ?? "…"}" among its dependencies`);
}
for (const name of Object.keys(declared))
  if (!imported.has(name)) throw new Error(`packages/cli/package.json declares "${name}", which nothing imports`);
