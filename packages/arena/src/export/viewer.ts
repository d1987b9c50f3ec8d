import type { Make, PageDocument, PageElement, PageEvent } from "./dom.ts";
import type { Frame, PageData, View } from "./page-data.ts";

export interface Painters {
  readonly hex: (make: Make, view: never, frame: Frame, colours: readonly string[]) => PageElement;
  readonly grid: (make: Make, view: never, frame: Frame, colours: readonly string[]) => PageElement;
  readonly pong: (make: Make, view: never, frame: Frame, colours: readonly string[]) => PageElement;
  readonly chart: (make: Make, frames: readonly Frame[], at: number, seat: number, colour: string) => PageElement;
}

/**
 * The page's script. It runs in the page, by itself: it must not use anything but its arguments. Texts become text nodes,
 * never markup, whatever a participant called himself.
 */
export function viewer(document: PageDocument, data: PageData, painters: Painters): void {
  const find = (id: string): PageElement => {
    const element = document.getElementById(id);
    if (element === null) throw new Error(`the page has no ${id}`);
    return element;
  };
  const html = (tag: string, className: string, ...children: (PageElement | string)[]): PageElement => {
    const element = document.createElement(tag);
    if (className !== "") element.setAttribute("class", className);
    element.append(...children);
    return element;
  };
  const make: Make = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name of Object.keys(attributes)) element.setAttribute(name, String(attributes[name]));
    element.append(...children);
    return element;
  };
  const colours = data.seats.map((seat) => seat.colour);
  const dot = (seat: number): PageElement =>
    make(
      "svg",
      { viewBox: "0 0 16 16", class: "dot" },
      make("circle", { cx: 8, cy: 8, r: 7, fill: colours[seat]!, class: "stone" }),
    );

  const drawBoard = (frame: Frame): PageElement => {
    const view: View = data.view;
    if (view.kind === "hex") return painters.hex(make, view as never, frame, colours);
    if (view.kind === "pong") return painters.pong(make, view as never, frame, colours);
    if (view.kind === "text") return html("pre", "board", String(frame.board));
    return painters.grid(make, view as never, frame, colours);
  };

  let episode = 0;
  let at = 0;
  let playing: unknown = null;
  const frames = (): readonly Frame[] => data.episodes[episode]!.frames;
  const slider = find("slider");
  const play = find("play");
  const speed = find("speed");
  const chooser = find("episode");

  const seconds = (ms: number): string =>
    ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
  const drawSeats = (): void => {
    find("seats").replaceChildren(
      ...data.seats.map((seat, index) => {
        const times = frames()
          .slice(0, at + 1)
          .flatMap((frame) => frame.thinkMs[index] ?? []);
        const sum = times.reduce((total, ms) => total + ms, 0);
        const chart = painters.chart(make, frames(), at, index, seat.chart);
        chart.addEventListener("click", (event) => {
          const box = chart.getBoundingClientRect();
          const last = frames().length - 1;
          show(Math.min(last, 1 + Math.floor(((event.clientX - box.left) / box.width) * last)));
        });
        const most = times.length === 0 ? "" : ` · longest ${seconds(Math.max(...times))}`;
        return html(
          "section",
          "seat",
          html("h2", "", dot(index), html("bdi", "", seat.name), html("span", "note", seat.note)),
          chart,
          html(
            "p",
            "times",
            `${times.length} ${times.length === 1 ? "move" : "moves"} · thought ${seconds(sum)}${most}`,
          ),
        );
      }),
    );
  };

  const show = (index: number): void => {
    at = Math.max(0, Math.min(index, frames().length - 1));
    const frame = frames()[at]!;
    find("board").replaceChildren(drawBoard(frame));
    find("caption").replaceChildren(
      html("span", "counter", `${at} / ${frames().length - 1}`),
      html("span", frame.fault ? "bad" : "", frame.caption === "" ? "The beginning" : frame.caption),
    );
    slider.value = String(at);
    drawSeats();
  };

  const stop = (): void => {
    clearInterval(playing as never);
    playing = null;
    play.setAttribute("class", "");
    play.setAttribute("aria-label", "Play");
  };
  const toggle = (): void => {
    if (playing !== null) {
      stop();
      return;
    }
    if (at === frames().length - 1) show(0);
    const tick = (): void => {
      if (at === frames().length - 1) stop();
      else show(at + 1);
    };
    playing = setInterval(tick, Number(speed.value));
    play.setAttribute("class", "playing");
    play.setAttribute("aria-label", "Pause");
  };
  const open = (index: number): void => {
    stop();
    episode = Math.max(0, Math.min(index, data.episodes.length - 1));
    chooser.value = String(episode);
    slider.setAttribute("max", String(frames().length - 1));
    find("result").textContent = data.episodes[episode]!.result;
    show(0);
  };

  find("title").textContent = data.title;
  find("subtitle").textContent = data.subtitle;
  find("outcome").textContent = data.outcome;
  find("facts").replaceChildren(
    ...data.facts.flatMap(([name, value]) => [html("dt", "", name), html("dd", name === "Hash" ? "hash" : "", value)]),
  );
  chooser.replaceChildren(
    ...data.episodes.map((one, index) => {
      const option = html("option", "", `Episode ${index + 1}: ${one.result}`);
      option.setAttribute("value", String(index));
      return option;
    }),
  );
  if (data.episodes.length < 2) for (const id of ["episodes", "result"]) find(id).setAttribute("hidden", "");
  chooser.addEventListener("change", () => open(Number(chooser.value)));
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  const go = (id: string, move: () => void): void => {
    find(id).addEventListener("click", () => {
      stop();
      move();
    });
  };
  go("first", () => show(0));
  go("back", () => show(at - 1));
  go("forward", () => show(at + 1));
  go("last", () => show(frames().length - 1));
  play.addEventListener("click", toggle);
  speed.addEventListener("change", () => {
    if (playing === null) return;
    stop();
    toggle();
  });
  const keys: Record<string, () => void> = {
    ArrowLeft: () => show(at - 1),
    ArrowRight: () => show(at + 1),
    Home: () => show(0),
    End: () => show(frames().length - 1),
    PageUp: () => open(episode - 1),
    PageDown: () => open(episode + 1),
  };
  document.addEventListener("keydown", (event: PageEvent) => {
    if (event.target === chooser || event.target === speed) return;
    if (event.key === " ") {
      event.preventDefault();
      toggle();
    } else if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      stop();
      keys[event.key]!();
    }
  });
  open(0);
  show(frames().length - 1);
}
