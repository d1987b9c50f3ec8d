/** A process that restores, and stops for good where its progress begins with a word: to be killed there. argv: file, url, store, word. */
import { restoreBackup } from "@lanista/server/backup/restore";
import { openFolderStore } from "@lanista/server/store/folder-store";

const [file = "", url = "", folder = "", word = ""] = process.argv.slice(2);
const onProgress = (text: string): void => {
  if (!text.startsWith(word)) return;
  process.stdout.write(`${text}\n`, () => undefined);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
};
await restoreBackup({ file, url, store: await openFolderStore(folder), onProgress });
