/** The configuration file: YAML, settings nested or with dots, every key known. */
import { isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { namedSettings } from "./settings.ts";

export interface FileValues {
  /** By the setting's name. */
  readonly values: ReadonlyMap<string, { readonly value: unknown; readonly place: string }>;
  /** One line each, with the place. */
  readonly problems: readonly string[];
}

/** `name` is the file's, for messages. */
export function readConfigFile(text: string, name: string): FileValues {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => `${name}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0)
    return { values: new Map(), problems: document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`) };
  const values = new Map<string, { value: unknown; place: string }>();
  const problems: string[] = [];
  const keys = namedSettings().map(({ key }) => key);

  const visit = (map: YAMLMap, prefix: string): void => {
    for (const { key: node, value } of map.items) {
      if (!isScalar(node)) {
        problems.push(`${name}: a key must be a word`);
        continue;
      }
      const key = `${prefix}${String(node.value)}`;
      const at = place(node.range?.[0] ?? 0);
      if (keys.includes(key)) {
        if (values.has(key)) problems.push(`${at}: ${key} is there twice`);
        try {
          values.set(key, { value: isNode(value) ? value.toJS(document, { maxAliasCount: 10 }) : value, place: at });
        } catch (error) {
          problems.push(`${at}: ${key}: ${error instanceof Error ? error.message : String(error)}`);
        }
      } else if (keys.some((one) => one.startsWith(`${key}.`))) {
        if (isMap(value)) visit(value, `${key}.`);
        else if (!isScalar(value) || value.value !== null) problems.push(`${at}: ${key} must hold settings`);
      } else problems.push(`${at}: ${key} is no setting`);
    }
  };
  const { contents } = document;
  if (isMap(contents)) visit(contents as YAMLMap, "");
  else if (contents !== null) problems.push(`${name}: the file must hold settings, as "http: {port: 8080}"`);
  return { values, problems };
}
