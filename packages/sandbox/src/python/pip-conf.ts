/** What pip's configuration file says for every command and for `install`: an INI file, values over several lines included. */
const SECTIONS = ["global", "install"];

/** Values by their long name, such as "index-url"; several lines become words of one. */
export function readPipConf(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = "";
  let open: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header.trim();
      open = undefined;
    } else if (/^\s/.test(line) && open !== undefined) {
      values.set(open, `${values.get(open)} ${line.trim()}`.trim());
    } else {
      const [, name, value] = /^([A-Za-z_-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
      open = name !== undefined && SECTIONS.includes(section) ? name.toLowerCase().replaceAll("_", "-") : undefined;
      if (open !== undefined) values.set(open, value!.trim());
    }
  }
  return values;
}
