/** Weighs what was built. The rule: the first load is what index.html makes the browser fetch, nothing else. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const KB = 1024;
const LIMITS = { "first load JS": 130, "first load CSS": 12, "largest route chunk": 25, all: 350 };
const html = readFileSync("dist/index.html", "utf8");
if (/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i.test(html)) {
  console.error(
    "index.html holds an inline script, style or handler: the content policy blocks it",
  );
  process.exit(1);
}
const sizes = new Map(
  readdirSync("dist/assets")
    .filter((name) => /\.(js|css)$/.test(name))
    .map((name) => [name, gzipSync(readFileSync(`dist/assets/${name}`), { level: 9 }).length / KB]),
);
const first = [...html.matchAll(/\/assets\/([\w.-]+\.(?:js|css))/g)].map((match) => match[1]);
const sum = (names) => names.reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
const isJs = (name) => name.endsWith(".js");
const lazy = [...sizes.keys()].filter((name) => isJs(name) && !first.includes(name));
const measured = {
  "first load JS": sum(first.filter(isJs)),
  "first load CSS": sum(first.filter((name) => !isJs(name))),
  "largest route chunk": Math.max(...lazy.map((name) => sizes.get(name) ?? 0)),
  all: sum([...sizes.keys()]),
};
let isOver = false;
for (const [name, limit] of Object.entries(LIMITS)) {
  const size = measured[name];
  isOver ||= size > limit;
  console.log(
    `${size > limit ? "OVER" : "ok  "}  ${name.padEnd(20)} ${size.toFixed(1).padStart(6)} of ${limit} KB gz`,
  );
}
process.exit(isOver ? 1 : 0);
