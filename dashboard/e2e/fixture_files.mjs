/** The built dashboard as the server hands it out, policy included. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(fileURLToPath(new URL(".", import.meta.url)), "..", "dist");
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export function file(response, path) {
  const name =
    path.startsWith("/assets/") && !path.includes("..")
      ? join(dist, path)
      : join(dist, "index.html");
  if (!existsSync(name) || !statSync(name).isFile()) return response.writeHead(404).end();
  response.writeHead(200, {
    "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
    "Content-Security-Policy": CSP,
  });
  return createReadStream(name).pipe(response);
}
