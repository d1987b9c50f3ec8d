/** Answers of the API on standard output: one JSON document, or what people read. */
import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Context } from "../context.ts";
import { type Column, table } from "../table.ts";
import { printable, writeJson, writeLine } from "../terminal.ts";
import type { RemoteOptions } from "./options.ts";

/** The message in its JSON form with --json; else what `text` says of it. */
export function print<Desc extends DescMessage>(
  context: Context,
  options: Pick<RemoteOptions, "json">,
  schema: Desc,
  message: MessageShape<Desc>,
  text: () => string,
): void {
  if (options.json) writeJson(context.terminal, toJson(schema, message, { alwaysEmitImplicit: true }));
  else writeLine(context.terminal, printable(text()));
}

/** Titles that end in `>` are of figures. `none`: said where there are no rows. */
export function rows(titles: readonly string[], cells: readonly (readonly string[])[], none: string): string {
  if (cells.length === 0) return none;
  const columns: Column[] = titles.map((title) =>
    title.endsWith(">") ? { title: title.slice(0, -1), align: "right" } : { title },
  );
  return table(
    columns,
    cells.map((row) => row.map(printable)),
  );
}
