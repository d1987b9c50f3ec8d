import { type Space, SpaceKind, SpaceSchema } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { Command } from "commander";
import type { Context } from "../../context.ts";
import { integer, repeated } from "../../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../../remote/options.ts";
import { print } from "../../remote/print.ts";
import { remote } from "../../remote/remote.ts";
import { UsageError } from "../../usage-error.ts";
import { roleText } from "../space-people.ts";
import { courseGrades } from "./grades.ts";
import { courseNews } from "./news.ts";
import { courseResults } from "./results.ts";
import { courseRoster } from "./roster.ts";
import type { Sub } from "./sub.ts";
import { courseTask } from "./task.ts";

interface SetOptions extends RemoteOptions {
  readonly title?: string;
  readonly year?: number;
  readonly semester?: string;
  readonly join?: readonly string[];
}

export function courseCommand(context: Context): Command {
  const course = new Command("course").description("courses: people, tasks, grades and results (members: see space)");
  const sub: Sub = (name, description, example) =>
    addRemoteOptions(course.command(name))
      .description(description)
      .addHelpText("after", `\nExample:\n  $ lanista course ${example}`);

  const described = (command: Command): Command =>
    command
      .option("--title <title>", "what people read")
      .option("--year <year>", "such as 2026", integer(0, 9999))
      .option("--semester <semester>", "such as autumn");

  described(
    sub("create", "make a course; you administer it", 'create cs1 --title "CS 1" --year 2026 --semester autumn'),
  )
    .argument("<slug>", "its short name")
    .action(async (slug: string, { title = slug, year = 0, semester = "", ...options }: SetOptions) => {
      const made = { slug, title, year, semester, kind: SpaceKind.COURSE };
      const { space } = await (await remote(context, options)).spaces.createSpace(made);
      print(context, options, SpaceSchema, space!, () => courseLine(space!));
    });

  sub("show", "show a course", "show cs1")
    .argument("<course>", "its short name or id")
    .action(async (space: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).spaces.getSpace({ space });
      print(context, options, SpaceSchema, answer.space!, () => courseLine(answer.space!));
    });

  described(sub("set", "change a course, and which addresses may join it", 'set cs1 --join "*@school.edu"'))
    .argument("<course>", "its short name or id")
    .option("--join <pattern>", "addresses like it may join; may be repeated; none: no address may", repeated)
    .action(async (space: string, { title, year, semester, join, ...options }: SetOptions) => {
      if ([title, year, semester, join].every((each) => each === undefined))
        throw new UsageError("say what to change: see --help");
      const answer = await (await remote(context, options)).spaces.updateSpace({
        space,
        ...(title === undefined ? {} : { title }),
        ...(year === undefined ? {} : { year }),
        ...(semester === undefined ? {} : { semester }),
        ...(join === undefined ? {} : { join: { patterns: join.filter((pattern) => pattern !== "none") } }),
      });
      print(context, options, SpaceSchema, answer.space!, () => courseLine(answer.space!));
    });

  sub("join", "join a course that your confirmed address lets you into", "join cs1")
    .argument("<course>", "its short name or id")
    .action(async (space: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).courses.joinCourse({ space });
      print(context, options, SpaceSchema, answer.space!, () => `You are in. ${courseLine(answer.space!)}`);
    });

  courseRoster(context, sub);
  courseNews(context, sub);
  courseGrades(context, sub);
  courseResults(context, sub);
  course.addCommand(courseTask(context));
  return course;
}

function courseLine({ title, slug, id, year, semester, role, joinPatterns }: Space): string {
  const when = [semester, year === 0 ? "" : String(year)].filter((text) => text !== "").join(" ");
  const lines = [`${title} (${slug}, ${id})${when === "" ? "" : `: ${when}`}; you: ${roleText(role)}`];
  if (joinPatterns.length > 0) lines.push(`who may join: ${joinPatterns.join(", ")}`);
  return lines.join("\n");
}
