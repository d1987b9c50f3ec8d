import { randomInt } from "node:crypto";

/** User ids handed out: far from those of people, services and other containers. */
const UIDS = { root: [1_100_000_000, 2_100_000_000], rootless: [1000, 65_000] } as const;

/** User ids of the boxes of one host: drawn at random, so that other hosts' are others too, and no two alike here. */
export class UserIds {
  readonly #byBox = new Map<string, number>();

  draw(box: string, rootless: boolean): number {
    const [least, most] = rootless ? UIDS.rootless : UIDS.root;
    const taken = new Set(this.#byBox.values());
    let uid = randomInt(least, most);
    while (taken.has(uid)) uid = randomInt(least, most);
    this.#byBox.set(box, uid);
    return uid;
  }

  release(box: string): void {
    this.#byBox.delete(box);
  }
}
