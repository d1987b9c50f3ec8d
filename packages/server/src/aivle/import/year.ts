/** `2021/2022`, `AY21/22`, `2021`: the year in which it began; 0 where it is none. */
export function yearOf(academicYear: string): number {
  const [, long, short] = /(?:(\d{4})|(\d{2}))(?!\d)/.exec(academicYear) ?? [];
  return long === undefined ? (short === undefined ? 0 : 2000 + Number(short)) : Number(long);
}
