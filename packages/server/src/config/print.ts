/** The configuration as people and programs see it: each setting, its value, and where that came from. */
import type { LoadedConfig, Origin } from "./config.ts";
import { namedSettings } from "./settings.ts";

export interface ShownSetting extends Origin {
  readonly key: string;
  readonly value: unknown;
  readonly about: string;
}

const MASK = "***";

export function shownSettings({ config, origins }: LoadedConfig): readonly ShownSetting[] {
  return namedSettings().map(({ key, setting }) => {
    const value = key.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], config);
    const shown = setting.secret ? maskedAll(value) : value;
    return { key, value: shown, about: setting.about, ...(origins[key] ?? { from: "default", place: "" }) };
  });
}

const maskedAll = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(maskedAll) : typeof value === "string" ? masked(value) : value;

/** A URL without what may be a secret in it: the password, a user of http who has none, and the values of its query. */
export function masked(value: string): string {
  if (value === "" || !value.includes("://")) return value;
  if (!URL.canParse(value)) return MASK;
  const url = new URL(value);
  if (url.password !== "") url.password = MASK;
  // Of an index this may be the token.
  else if (url.username !== "" && /^https?:$/.test(url.protocol)) url.username = MASK;
  for (const name of [...url.searchParams.keys()])
    if (/secret|password|key|token/i.test(name)) url.searchParams.set(name, MASK);
  return url.href.replaceAll("%2A", "*");
}
