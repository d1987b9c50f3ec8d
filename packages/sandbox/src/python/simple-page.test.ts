import { expect, it } from "vitest";
import { readPage, writePage } from "./simple-page.ts";

const page = new URL("https://index.example/simple/six/");
const sha256 = "ab".repeat(32);

it("reads the same from JSON and from HTML", () => {
  const files = [
    {
      filename: "six-1.0-py3-none-any.whl",
      url: "../../files/six-1.0-py3-none-any.whl",
      hashes: { sha256 },
      "requires-python": ">=3.8",
      yanked: "broken & gone",
      "core-metadata": true,
    },
    { filename: "six-1.0.tar.gz", url: "https://files.example/six-1.0.tar.gz", hashes: {} },
  ];
  const html = `<!DOCTYPE html><html><body>
    <a href="../../files/six-1.0-py3-none-any.whl#sha256=${sha256}" data-requires-python="&gt;=3.8" data-yanked="broken &amp; gone"
      data-core-metadata="sha256=12">six-1.0-py3-none-any.whl</a><br>
    <A HREF='https://files.example/six-1.0.tar.gz'>six-1.0.tar.gz</A></body></html>`;
  const read = readPage(JSON.stringify({ files, meta: {} }), "application/vnd.pypi.simple.v1+json", page);
  expect(read).toEqual(readPage(html, "text/html; charset=utf-8", page));
  expect(read.map(({ url }) => url.href)).toEqual([
    "https://index.example/files/six-1.0-py3-none-any.whl",
    "https://files.example/six-1.0.tar.gz",
  ]);
  const written = JSON.parse(writePage("six", read, (file) => `/f/${file.filename}`));
  expect(written.files[0]).toMatchObject({
    url: "/f/six-1.0-py3-none-any.whl",
    hashes: { sha256 },
    yanked: "broken & gone",
  });
});

it("leaves out files whose names are no file names, and refuses what is no page", () => {
  const files = ["../six.whl", "a b.whl", "six-1.whl"].map((filename) => ({ filename, url: "x" }));
  expect(readPage(JSON.stringify({ files }), "application/json", page).map(({ filename }) => filename)).toEqual([
    "six-1.whl",
  ]);
  expect(() => readPage("{}", "application/json", page)).toThrow();
  expect(() => readPage("hello", "text/plain", page)).toThrow(/text\/plain/);
});
