/** What the page of a replay is given: everything is worked out before, the page only draws. */

/** How positions are drawn. */
export type View =
  | { readonly kind: "hex"; readonly rows: number; readonly columns: number }
  | { readonly kind: "discs"; readonly rows: number; readonly columns: number }
  | { readonly kind: "othello"; readonly rows: number; readonly columns: number }
  | { readonly kind: "marks"; readonly rows: number; readonly columns: number }
  | { readonly kind: "pieces"; readonly rows: number; readonly columns: number }
  | {
      readonly kind: "pong";
      readonly width: number;
      readonly height: number;
      readonly paddle: number;
      readonly radius: number;
      readonly face: number;
    }
  | { readonly kind: "text" };

export interface Frame {
  /** Grids: one digit a cell, row by row: 0 empty, 1 + seat. Pong: eight numbers. Otherwise text. */
  readonly board: string | readonly number[];
  /** The cells that the move changed. */
  readonly changed: readonly number[];
  /** The cells that decided the game. */
  readonly decisive: readonly number[];
  /** What happened, in words; empty at the beginning. */
  readonly caption: string;
  /** Milliseconds by seat; null for a seat that did not act. */
  readonly thinkMs: readonly (number | null)[];
  /** Whether the agent itself chose; false for a substitute or a forfeit. */
  readonly fault: boolean;
}

export interface PageData {
  readonly title: string;
  readonly subtitle: string;
  readonly outcome: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly seats: readonly {
    readonly name: string;
    readonly colour: string;
    readonly chart: string;
    readonly note: string;
  }[];
  readonly view: View;
  readonly episodes: readonly { readonly frames: readonly Frame[]; readonly result: string }[];
}
