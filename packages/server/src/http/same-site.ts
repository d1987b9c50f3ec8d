/**
 * Whether a request that brings a session's cookie was made by a page of ours. Browsers say where a request comes from in
 * headers that no page can forge: Sec-Fetch-Site, and Origin on every POST. One that says nothing is refused.
 */
export function sameSite(header: Headers, publicUrl: string): boolean {
  const site = header.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" || site === "none";
  const origin = header.get("origin");
  if (origin === null || !URL.canParse(origin)) return false;
  if (publicUrl !== "" && origin === new URL(publicUrl).origin) return true;
  return new URL(origin).host === header.get("host");
}
