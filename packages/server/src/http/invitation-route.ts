/**
 * `/invitation#CODE`: where an invitation's link leads. What is behind the `#` stays in the browser, so the page is the same
 * for everybody, and no log of a server or proxy has the code.
 */
import { setHeader } from "./headers.ts";
import { escaped, policyFor } from "./page.ts";
import { type HttpRoute, send } from "./route.ts";

export const INVITATION_PATH = "/invitation";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
pre{padding:.6rem .8rem;border:1px solid #8884;border-radius:.3rem;overflow-x:auto}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}`;
const POLICY = policyFor(STYLE);

/** `publicUrl`: where people reach this server. */
export function invitationRoute(publicUrl: () => string): HttpRoute {
  return {
    path: INVITATION_PATH,
    methods: ["GET", "HEAD"],
    async handle({ response, caller }) {
      // Anybody may see it, so many times a minute.
      await caller();
      setHeader(response, "content-security-policy", POLICY);
      send(response, 200, "text/html; charset=utf-8", page(escaped(publicUrl())));
    },
  };
}

function page(server: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>An invitation · Lanista</title><style>${STYLE}</style>
<h1>You are invited</h1>
<p>This page's address ends in <code>#</code> and a code, <code>#invite_…</code>. Put what follows the <code>#</code> in the
place of CODE, in a terminal where the command <code>lanista</code> is installed.</p>
<p>Without an account here, this makes one and lets you in:</p>
<pre>lanista login --server ${server} --sign-up --invitation CODE</pre>
<p>With an account:</p>
<pre>lanista login --server ${server}
lanista space join CODE</pre>
<p>Who has the code can use it in your place: pass it on to nobody who is not meant.</p>
</html>
`;
}
