// Keeps a screen current: asks whether it has changed, and shows the games part by part.
const PART_SECONDS = 10;
const find = (what, where = document) => where.querySelector(what);
let etag = document.documentElement.dataset.etag ?? "";
let answered = Date.now();
let part = 0;

async function ask() {
  let wait = +find("main").dataset.poll;
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": etag },
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    if (answer.status === 200) show(await answer.text());
    else if (answer.status !== 304) throw answer.status;
    answered = Date.now();
    if (answer.headers.has("X-Next-Read")) wait = Math.min(wait, +answer.headers.get("X-Next-Read") + 1);
  } catch {} // asked again below; the page says so when it lasts
  const isAway = Date.now() - answered > 30_000;
  find("#offline").textContent = isAway ? "This site cannot be reached: scores may be late." : "";
  setTimeout(ask, 1000 * Math.max(3, wait) * (1 + Math.random() / 10));
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const main = find("main", fresh);
  if (!main) throw "another page"; // a proxy's, while this site is down
  find("main").replaceWith(main);
  etag = fresh.documentElement.dataset.etag ?? "";
  turn(0);
}

// On a wall one part is shown at a time.
function turn(by) {
  const parts = document.querySelectorAll(".tv ul");
  part = (part + by) % Math.max(parts.length, 1);
  parts.forEach((one, n) => (one.hidden = n !== part));
}

turn(0);
setInterval(turn, PART_SECONDS * 1000, 1);
setTimeout(ask, 3000);
