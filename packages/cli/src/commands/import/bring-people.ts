/**
 * The people, as by a roster: who has an account with that address confirmed is in at once, the others are invited. Nobody becomes
 * less than he is, and who is here already keeps the group that he has.
 */
import { appendFile } from "node:fs/promises";
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { RosterRow_Action as Action } from "@lanista/api/gen/lanista/v1/courses_pb";
import type { OldPerson, OldRole } from "@lanista/server/aivle/import/old-course";
import { stringify } from "csv-stringify/sync";
import { pages } from "../../remote/remote.ts";
import { ask, type Bringing } from "./bringing.ts";

const ROLES: Readonly<Record<OldRole, { readonly text: string; readonly role: SpaceRole }>> = {
  GUE: { text: "guest", role: SpaceRole.GUEST },
  STU: { text: "student", role: SpaceRole.PARTICIPANT },
  TA: { text: "teaching assistant", role: SpaceRole.ASSISTANT },
  LEC: { text: "lecturer", role: SpaceRole.ORGANISER },
  ADM: { text: "administrator", role: SpaceRole.ADMINISTRATOR },
};
const RANKS = [
  SpaceRole.UNSPECIFIED,
  SpaceRole.GUEST,
  SpaceRole.PARTICIPANT,
  SpaceRole.ASSISTANT,
  SpaceRole.ORGANISER,
  SpaceRole.ADMINISTRATOR,
];
const rank = (role: SpaceRole): number => RANKS.indexOf(role);
const AT_ONCE = 500;

interface Here {
  readonly role: SpaceRole;
  readonly group: string;
}

/** Each person's address, by the source's id; of those whose submissions can come over. `mine`: the caller's role. */
export async function bringPeople(bringing: Bringing, mine: SpaceRole | null): Promise<ReadonlyMap<number, string>> {
  const { source, report, wanted, progress } = bringing;
  progress.update("reading the people");
  const addresses = new Map<number, string>();
  const wantedPeople = new Map<string, OldPerson & { readonly role: OldRole }>();
  for (const person of await source.people()) {
    const { id, username, email, role } = person;
    const who = `person ${username || id}`;
    if (email === null || role === null) {
      const why =
        email === null ? "no address is known: name it in people.csv" : "is no participant: people.csv may say a role";
      report.people.left++;
      report.leave(who, why);
      continue;
    }
    if (rank(ROLES[role].role) >= rank(SpaceRole.ORGANISER) && mine !== null && mine !== SpaceRole.ADMINISTRATOR) {
      report.people.left++;
      report.leave(who, `only an administrator of the course makes somebody its ${ROLES[role].text}`);
      continue;
    }
    addresses.set(id, email);
    const other = wantedPeople.get(email);
    if (other !== undefined) report.note(`${email} stands for several people: what they handed in is one's here`);
    if (other === undefined || rank(ROLES[role].role) > rank(ROLES[other.role].role))
      wantedPeople.set(email, { ...person, role });
  }
  const here = mine === null ? new Map<string, Here>() : await peopleHere(bringing);
  const news = [...wantedPeople.values()].flatMap((person) => {
    const before = here.get(person.email!);
    const group = person.group ?? before?.group ?? "";
    const { role } = ROLES[person.role];
    if (before !== undefined && rank(role) <= rank(before.role) && group === before.group) {
      report.people.unchanged++;
      return [];
    }
    return [{ ...person, group }];
  });
  // Without a course nobody is in it.
  if (mine === null && wanted.dryRun) report.people.invited += news.length;
  else for (let at = 0; at < news.length; at += AT_ONCE) await invite(bringing, news.slice(at, at + AT_ONCE));
  return addresses;
}

async function peopleHere(bringing: Bringing): Promise<Map<string, Here>> {
  const { client, space } = bringing;
  const here = new Map<string, Here>();
  for await (const { invitations } of pages((page) =>
    ask(bringing, () => client.spaces.listInvitations({ space, page })),
  ))
    for (const { email, role, group } of invitations) if (email !== "") here.set(email, { role, group });
  for await (const { members } of pages((page) => ask(bringing, () => client.spaces.listMembers({ space, page }))))
    for (const { email, role, group } of members) here.set(email, { role, group });
  return here;
}

type Listed = OldPerson & { readonly role: OldRole };

async function invite(bringing: Bringing, people: readonly Listed[]): Promise<void> {
  const { client, space, wanted, report } = bringing;
  const lines = people.map(({ name, email, role, group }) => [name, email, ROLES[role].text, group]);
  const csv = stringify([["name", "email", "role", "group"], ...lines]);
  const { dryRun } = wanted;
  const { rows } = await ask(bringing, () => client.courses.importRoster({ space, csv, dryRun }));
  const codes = rows.filter(({ code }) => code !== "").map(({ email, code }) => `${email},${code}\n`);
  if (wanted.codes !== undefined && codes.length > 0) await appendFile(wanted.codes, codes.join(""), { mode: 0o600 });
  for (const { action } of rows) {
    if (action === Action.JOINED) report.people.joined++;
    else if (action === Action.INVITED) report.people.invited++;
    else if (action === Action.CHANGED) report.people.changed++;
    else report.people.unchanged++;
  }
}
