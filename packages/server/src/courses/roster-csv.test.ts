import { LanistaError } from "@lanista/api/errors";
import { expect, test } from "vitest";
import { parseRoster } from "./roster-csv.ts";

const TITLES = "name,email,role,group\n";

test("reads people as lists of students write them", () => {
  const csv = `\uFEFFEmail, Name ,Role\r\nAda@School.edu,"Lovelace, Ada",Student\r\n\r\nbab@school.edu,Charles,Teaching Assistant\r\n`;
  expect(parseRoster(csv)).toEqual([
    { line: 2, name: "Lovelace, Ada", email: "ada@school.edu", role: "participant", group: "" },
    { line: 4, name: "Charles", email: "bab@school.edu", role: "assistant", group: "" },
  ]);
});

test.each([
  ["a column too many", "name,email,role,points\nA,a@b.edu,student,3\n", /line 1: there is no column "points"/],
  ["a column too few", "name,email\nA,a@b.edu\n", /line 1: the column role is missing/],
  ["a column twice", "name,email,role,role\nA,a@b.edu,student,guest\n", /twice/],
  ["a field too many", `${TITLES}A,a@b.edu,student,1,more\n`, /no CSV: Invalid Record Length/],
  ["an open quote", `${TITLES}"A,a@b.edu,student,1\n`, /no CSV: Quote Not Closed/],
  ["no address", `${TITLES}A,at b.edu,student,1\n`, /line 2: email/],
  ["no such role", `${TITLES}A,a@b.edu,king,1\n`, /line 2: role: must be student/],
  ["a role of Object's own", `${TITLES}A,a@b.edu,constructor,1\n`, /line 2: role/],
  ["an address twice", `${TITLES}A,a@b.edu,student,1\nB,A@B.edu,student,1\n`, /line 3: a@b.edu stands in line 2/],
  ["a name that turns the text", `${TITLES}A\u202e,a@b.edu,student,1\n`, /line 2: name/],
  ["a line without end", `${TITLES}${"A".repeat(5000)},a@b.edu,student,1\n`, /no CSV: Max Record Size/],
  ["too many people", TITLES + Array.from({ length: 2001 }, (_, i) => `A,a${i}@b.edu,student,1\n`).join(""), /at most/],
])("refuses %s, and names the place", (_, csv, message) => {
  expect(() => parseRoster(csv)).toThrow(message);
  expect(() => parseRoster(csv)).toThrow(LanistaError);
});
