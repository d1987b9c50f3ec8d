/** `/ladders/SPACE/LADDER`: the table of a public ladder as a page. Nothing on it runs; it asks for itself anew every ten seconds. */
import type { App } from "../app.ts";
import { notFound } from "../auth/access.ts";
import { BOARD_KEYS, boardPage, type RankedRow } from "../ladder/board.ts";
import { findLadder, type LadderRow } from "../ladder/rows.ts";
import { ladderRules } from "../ladder/rules.ts";
import { pageWanted } from "../rpc/paging.ts";
import { setHeader } from "./headers.ts";
import { escaped, policyFor } from "./page.ts";
import { type HttpRoute, send } from "./route.ts";

const PATH = "/ladders/";
const REFRESH_SECONDS = 10;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{padding:.4rem .6rem;text-align:right;border-bottom:1px solid #8884}
th:nth-child(2),td:nth-child(2),th:nth-child(3),td:nth-child(3){text-align:left}th{font-weight:600}
td:nth-child(4){font-variant-numeric:tabular-nums;font-weight:600}.new,p{color:#777}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}`;
const POLICY = policyFor(STYLE);

export function boardRoute(app: App): HttpRoute {
  return {
    path: PATH,
    methods: ["GET", "HEAD"],
    async handle({ response, url, caller }) {
      // Anybody may see it, so many times a minute.
      await caller();
      const ladder = await findLadder(app.db, url.pathname.slice(PATH.length));
      if (!ladder.public) throw notFound("the ladder");
      const query = {
        ladderId: ladder.id,
        finished: ladder.state === "finished",
        placementMatches: ladderRules(ladder).placementMatches,
      };
      const wanted = { ...pageWanted(undefined, BOARD_KEYS), size: 200 };
      const rows = (await boardPage(app.db, query, wanted)).slice(0, wanted.size);
      setHeader(response, "content-security-policy", POLICY);
      setHeader(response, "refresh", String(REFRESH_SECONDS));
      send(response, 200, "text/html; charset=utf-8", page(ladder, rows, query.finished));
    },
  };
}

function page(ladder: LadderRow, rows: readonly RankedRow[], finished: boolean): string {
  const titles = ["", "agent", "by", finished ? "Elo" : "rating", "±", "matches", "won", "drawn", "lost", "faults"];
  const body = rows.map((row) => {
    const finals = finished && row.final_elo !== null;
    const name = `${escaped(row.agent_name)}${row.provisional ? ' <span class="new">new</span>' : ""}`;
    const strength = finals ? row.final_elo!.toFixed(0) : row.rating.toFixed(1);
    const spread = finals ? ((row.final_high! - row.final_low!) / 2).toFixed(0) : row.sigma.toFixed(1);
    const cells = [row.matches, row.wins, row.draws, row.losses, row.faults].map(escaped);
    return [row.rank, name, escaped(row.owner_name), strength, spread, ...cells];
  });
  const line = (tag: string, cells: readonly (string | number)[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(ladder.title)} · Lanista</title><style>${STYLE}</style>
<h1>${escaped(ladder.title)}</h1>
<p>${escaped(ladderRules(ladder).env)} · ${escaped(ladder.state)} · ${escaped(ladder.log_length)} rated matches</p>
<table><thead>${line("th", titles)}</thead><tbody>${body.map((cells) => line("td", cells)).join("\n")}</tbody></table>
${rows.length === 0 ? "<p>Nobody is on it yet.</p>" : ""}
</html>
`;
}
