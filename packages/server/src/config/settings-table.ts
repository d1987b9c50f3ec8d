/** The settings as docs/operating.md lists them; a test compares the page with this. */
import { namedSettings } from "./settings.ts";

export function settingsTable(): string {
  const rows = namedSettings().map(({ key, setting: { fallback, about } }) => {
    const value = Array.isArray(fallback) ? fallback.join(",") : String(fallback);
    return `| \`${key}\` | ${value === "" ? "" : `\`${value}\``} | ${about.replaceAll("|", "\\|")} |`;
  });
  return ["| setting | default | |", "|---|---|---|", ...rows].join("\n");
}
