import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_POLICY_DOCUMENT, type PolicyDocument, parsePolicy, policyFromLimits } from "./policy.ts";

test("what is left out has its default, and null is the default policy", () => {
  expect(parsePolicy(null)).toEqual(parsePolicy(DEFAULT_POLICY_DOCUMENT));
  expect(parsePolicy({ max_lines: 10, allowed_extensions: [".PY", ""] })).toEqual({
    ...parsePolicy(null),
    maxLines: 10,
    allowedExtensions: [".py", ""],
  });
});

test.each<readonly [unknown, string]>([
  [[], "must be a mapping"],
  ["text", "must be a mapping"],
  [{ max_line: 10 }, `policy.yaml: unknown key "max_line"; known: max_file_size_mb`],
  [JSON.parse(`{"__proto__": 1}`), `unknown key "__proto__"`],
  [{ constructor: 1 }, "unknown key"],
  [{ max_file_size_mb: 0 }, "max_file_size_mb must be a number above 0, at most 4096, not 0"],
  [{ max_file_size_mb: "10" }, "max_file_size_mb"],
  [{ max_total_size_mb: Number.NaN }, "max_total_size_mb"],
  [{ max_lines: 1.5 }, "max_lines"],
  [{ allowed_extensions: ["py"] }, "allowed_extensions"],
  [{ allowed_extensions: ".py" }, "allowed_extensions"],
  [{ forbidden_imports: ["os system"] }, "forbidden_imports"],
  [{ forbidden_imports: Array(501).fill("os") }, "forbidden_imports"],
  [{ forbidden: "deny" }, "forbidden must be error, warning or ignore"],
  [{ dry_run: "yes" }, "dry_run must be true or false"],
])("%j is refused with its place", (document, message) => {
  expect(() => parsePolicy(document, "policy.yaml")).toThrow(message);
});

const SECTION = {
  max_file_size_mb: 10,
  allowed_extensions: [".py", ".txt", ".json"],
  forbidden_imports: ["os.system", "subprocess", "eval", "exec", "compile", "__import__"],
  max_lines: 5000,
};

test("a limits.yaml's section becomes a document whose forbidden names are errors", () => {
  const document: PolicyDocument = policyFromLimits(SECTION, 50);
  expect(parsePolicy(JSON.parse(JSON.stringify(document)))).toMatchObject({
    maxFileBytes: 10 * 1024 * 1024,
    maxTotalBytes: 50 * 1024 * 1024,
    allowedExtensions: [".py", ".txt", ".json"],
    maxLines: 5000,
    forbiddenImports: SECTION.forbidden_imports,
    forbidden: "error",
  });
});

test("a limits.yaml's section knows its own keys alone", () => {
  expect(() => policyFromLimits({ ...SECTION, dry_run: false })).toThrow(
    `limits.yaml: validation: unknown key "dry_run"`,
  );
  expect(() => policyFromLimits({ max_lines: "many" })).toThrow("max_lines");
  expect(() => policyFromLimits(SECTION, -1)).toThrow("max_total_size_mb");
});

test("every key is described, with its default", () => {
  const page = readFileSync(new URL("../../../../docs/validation.md", import.meta.url), "utf8");
  for (const key of Object.keys(DEFAULT_POLICY_DOCUMENT)) expect(page).toContain(`| \`${key}\` |`);
  expect(readdirSync(new URL("../../../../examples/policies/", import.meta.url)).length).toBeGreaterThan(0);
});
