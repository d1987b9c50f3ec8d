import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { environments } from "@lanista/games/registry";
import type { Replay } from "@lanista/games/replay-types";
import { describe, expect, test } from "vitest";
import { readReplayFile } from "../replay-file.ts";
import { decisiveCells } from "./board-view.ts";
import { exportReplay } from "./export-replay.ts";

const folder = join(import.meta.dirname, "../../../../test/replays");
const golden = (name: string): Promise<Replay> => readReplayFile(join(folder, `${name}.jsonl`));

function htmlOf(replay: Replay): string {
  const made = exportReplay(replay, environments);
  if (!made.ok) throw new Error(made.what);
  return made.html;
}

/** As much of a document as the page uses; what is appended as text stays text. */
class FakeElement {
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, (event: object) => void>();
  children: (FakeElement | string)[] = [];
  value = "500";
  readonly tag: string;
  constructor(tag: string) {
    this.tag = tag;
  }
  set textContent(text: string) {
    this.children = [text];
  }
  get textContent(): string {
    return this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join("");
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  append(...children: (FakeElement | string)[]): void {
    this.children.push(...children);
  }
  replaceChildren(...children: (FakeElement | string)[]): void {
    this.children = children;
  }
  addEventListener(type: string, listener: (event: object) => void): void {
    this.listeners.set(type, listener);
  }
  getBoundingClientRect(): object {
    return { left: 0, width: 600 };
  }
  all(tag: string): FakeElement[] {
    return this.children.flatMap((child) =>
      typeof child === "string" ? [] : [...(child.tag === tag ? [child] : []), ...child.all(tag)],
    );
  }
}

/** Runs the script that stands in the page, with the data that stands in the page. */
function run(html: string): { get(id: string): FakeElement; key(key: string): void } {
  const [data, code] = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]!);
  const ids = new Map<string, FakeElement>();
  for (const [, id] of html.matchAll(/ id="([a-z]+)"/g)) ids.set(id!, new FakeElement("div"));
  ids.get("data")!.textContent = data!;
  const page = new FakeElement("document");
  const document = Object.assign(page, {
    createElement: (tag: string) => new FakeElement(tag),
    createElementNS: (_: string, tag: string) => new FakeElement(tag),
    getElementById: (id: string) => ids.get(id) ?? null,
  });
  new Function("document", code!)(document);
  return {
    get: (id) => ids.get(id)!,
    key: (key) => page.listeners.get("keydown")!({ key, target: null, preventDefault() {} }),
  };
}

describe("the page of a replay", () => {
  test("needs nothing from outside, and its policy lets nothing else run", async () => {
    const html = htmlOf(await golden("hex"));
    expect(html).not.toMatch(/(src|href)=|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    const hash = (text: string) => createHash("sha256").update(text).digest("base64");
    const code = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)][0]![1]!;
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
    expect(html).toContain(`script-src 'sha256-${hash(code)}'; style-src 'sha256-${hash(style)}'`);
    expect(html).toContain("default-src 'none'");
  });

  test("cannot be broken out of by what participants call themselves", async () => {
    const replay = await golden("hex");
    const evil = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&<!--`;
    const html = htmlOf({
      ...replay,
      header: { ...replay.header, engine: evil, seats: replay.header.seats.map((seat) => ({ ...seat, agent: evil })) },
    });
    expect(html).not.toContain("<img");
    expect(html).not.toContain("alert(1)</script>");
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).not.toContain("<!--");
    const page = run(html);
    expect(page.get("seats").all("bdi")[0]!.children).toEqual([evil]);
    expect(page.get("seats").all("img")).toEqual([]);
  });

  test("opens at the end, and goes through the moves by keys and slider", async () => {
    const replay = await golden("hex");
    const page = run(htmlOf(replay));
    const stones = () =>
      page
        .get("board")
        .all("circle")
        .filter((one) => one.attributes.get("class") === "stone").length;
    expect(page.get("outcome").textContent).toBe("Ada wins");
    const { length } = replay.episodes[0]!.steps;
    expect(page.get("caption").textContent).toContain(`${length} / ${length}Ada plays`);
    expect(
      page
        .get("board")
        .all("circle")
        .some((one) => one.attributes.get("class") === "decisive"),
    ).toBe(true);
    page.key("Home");
    expect(stones()).toBe(0);
    for (let moves = 1; moves <= 3; moves++) {
      page.key("ArrowRight");
      expect(stones()).toBe(moves);
    }
    page.key("ArrowLeft");
    expect(stones()).toBe(2);
    page.get("slider").value = "5";
    page.get("slider").listeners.get("input")!({});
    expect(stones()).toBe(5);
    const bars = page
      .get("seats")
      .all("rect")
      .filter((one) => /bar/.test(one.attributes.get("class") ?? ""));
    expect(bars).toHaveLength(length);
  });

  test("lights the cells that a piece came from and went to", async () => {
    const page = run(htmlOf(await golden("breakthrough")));
    page.key("Home");
    const all = (tag: string, name: string) =>
      page
        .get("board")
        .all(tag)
        .filter((one) => one.attributes.get("class") === name);
    expect([all("circle", "stone").length, all("rect", "lit").length]).toEqual([32, 0]);
    page.key("ArrowRight");
    expect([all("circle", "stone").length, all("rect", "lit").length]).toEqual([32, 2]);
    page.key("End");
    expect(all("circle", "decisive")).toHaveLength(1);
  });

  test("shows the next episode, substitutes and forfeits", async () => {
    const several = run(htmlOf(await golden("tic-tac-toe")));
    expect(several.get("caption").textContent).not.toBe("");
    several.key("PageDown");
    expect(several.get("caption").textContent).toContain("The beginning");
    const html = htmlOf(await golden("tic-tac-toe"));
    expect(html).toContain("at random after a fault (illegal_action)");
    const lost = run(htmlOf(await golden("othello-forfeit")));
    expect(lost.get("outcome").textContent).toBe("Björn forfeits by crash");
    expect(lost.get("caption").textContent).toContain("Björn forfeits by crash");
  });

  test.each(readdirSync(folder).filter((name) => name.endsWith(".jsonl")))("can be drawn for %s", async (name) => {
    const page = run(htmlOf(await golden(name.replace(".jsonl", ""))));
    expect(page.get("board").children).toHaveLength(1);
  });

  test("is not made of a replay that the rules contradict", async () => {
    const replay = await golden("hex");
    const scores = [-1, 1];
    expect(exportReplay({ ...replay, final: { ...replay.final, scores } }, environments)).toMatchObject({ ok: false });
  });
});

test("decisive cells are lines, a chain from edge to edge, or a piece that is through", () => {
  const marks = { kind: "marks", rows: 3, columns: 3 } as const;
  expect(decisiveCells("112021210", marks)).toEqual([2, 4, 6]);
  expect(decisiveCells("122010001", marks)).toEqual([0, 4, 8]);
  const discs = { kind: "discs", rows: 4, columns: 5 } as const;
  expect(decisiveCells("00001000100010001000", discs)).toEqual([4, 8, 12, 16]);
  const hex = { kind: "hex", rows: 3, columns: 3 } as const;
  expect(decisiveCells("010010210", hex).sort()).toEqual([1, 4, 7]);
  expect(decisiveCells("000110222", hex).sort()).toEqual([6, 7, 8]);
  expect(decisiveCells("010000010", hex)).toEqual([]);
  const pieces = { kind: "pieces", rows: 3, columns: 2 } as const;
  expect(decisiveCells("020110", pieces)).toEqual([1, 4]);
  expect(decisiveCells("112022", pieces)).toEqual([]);
});
