/** A value as JSON; throws a TypeError on what JSON would leave out, or turn into something else. */
export function plainJson(value) {
  const text = JSON.stringify(value, (key, each) => {
    if (typeof each === "number" && !Number.isFinite(each)) throw new TypeError(`${each} is not a finite number`);
    if (Number.isInteger(each) && Math.abs(each) > 2 ** 53 && Math.abs(each) < 1e21)
      throw new TypeError(`the integer ${each} is beyond 2^53, which JSON does not hold exactly: give it as a text`);
    if (["undefined", "function", "symbol", "bigint"].includes(typeof each))
      throw new TypeError(
        `${key === "" ? "the answer" : `"${key}" of the answer`} is a ${typeof each}, which JSON has not`,
      );
    return ArrayBuffer.isView(each) ? Array.from(each) : each;
  });
  return text;
}
