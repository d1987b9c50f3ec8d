/** As much of the browser as the page's script uses; this package is compiled without the DOM's types. */
export interface PageEvent {
  readonly key: string;
  readonly target: unknown;
  readonly clientX: number;
  preventDefault(): void;
}

export interface PageElement {
  textContent: string;
  value: string;
  setAttribute(name: string, value: string): void;
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: (PageElement | string)[]): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  getBoundingClientRect(): { readonly left: number; readonly width: number };
}

export interface PageDocument {
  createElement(tag: string): PageElement;
  createElementNS(namespace: string, tag: string): PageElement;
  getElementById(id: string): PageElement | null;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
}

/** Makes an SVG element. */
export type Make = (
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: (PageElement | string)[]
) => PageElement;
