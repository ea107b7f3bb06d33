// Keeps the score pages that were seen last, as they were served, and shows them while this site
// cannot be reached. Everything else, and every page while it can be, comes from the network.
const KEPT = "kept";
const MOST = 20;
let changes = 0; // of preferences: a page that was asked for before the last one is not kept

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(begin()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || /^\/(admin|api)\b/.test(pathname)) return;
  if (request.method === "POST") pathname === "/preferences" && event.respondWith(change(event));
  else if (request.mode === "navigate") event.respondWith(visit(event));
  else if (request.headers.has("If-None-Match")) event.respondWith(load(event));
  else if (!navigator.onLine && pathname.startsWith("/static/"))
    event.respondWith(caches.match(request).then((file) => file ?? fetch(request)));
});

async function begin() {
  await registration.navigationPreload?.enable();
  await clients.claim();
  await keepOpen();
}

// The page; where nobody answers, or only a proxy whose site is down, what is kept.
async function visit(event) {
  const answer = await load(event).catch(() => {});
  const isDown = !answer || answer.status === 502 || answer.status === 504;
  return (isDown && (await kept(event.request.url))) || answer || Response.error();
}

async function load(event) {
  const asked = changes;
  const answer = (await event.preloadResponse) ?? (await fetch(event.request));
  event.waitUntil(keep(event.request.url, answer.clone(), asked));
  return answer;
}

// Keeps a page with scores: not one with a query, which may have revealed some. With a page of
// another version of the site, whose files have other addresses, everything is kept anew.
async function keep(url, answer, asked) {
  const { headers } = answer;
  const isPage = answer.ok && headers.has("X-Feed-Read") && /html/.test(headers.get("Content-Type"));
  if (!isPage || new URL(url).search || /no-store/.test(headers.get("Cache-Control"))) return;
  const files = (await answer.clone().text()).match(/\/static\/[^"]+\?v=\w+/g);
  if (asked !== changes) return;
  if (!(await caches.match(files[0]))) await caches.delete(KEPT);
  const cache = await caches.open(KEPT);
  for (const file of files) (await cache.match(file)) || (await cache.add(file));
  await cache.delete(url);
  if (asked !== changes) return;
  await cache.put(url, answer);
  for (const page of (await pagesOf(cache)).slice(0, -MOST)) await cache.delete(page);
}

const pagesOf = async (cache) => (await cache.keys()).filter(({ url }) => !new URL(url).search);

// The pages that are open now; they may have been loaded before there was anybody to keep them.
async function keepOpen() {
  for (const { url } of await clients.matchAll({ includeUncontrolled: true, type: "window" })) {
    const asked = changes;
    if (!/^\/(admin|api)\b/.test(new URL(url).pathname)) await keep(url, await fetch(url), asked);
  }
}

// New preferences: what is kept was made with the old ones.
async function change(event) {
  const answer = await fetch(event.request);
  changes++;
  await caches.delete(KEPT);
  event.waitUntil(keepOpen());
  return answer;
}

// The kept page; for another address the list of those that are kept, in the newest one's frame.
async function kept(url) {
  const cache = await caches.open(KEPT);
  const page = await cache.match(url);
  if (page) return marked(page, (await page.text()).replace("<html", "<html data-kept"));
  const items = [];
  let newest;
  for (const request of (await pagesOf(cache)).reverse()) {
    newest ??= await cache.match(request);
    const html = await (await cache.match(request)).text();
    const [, title] = html.match(/<title>(.*) - /);
    const [, read] = html.match(/read from the feed (<time.*?<\/time>)/) ?? [, ""];
    items.push(`<li><a href="${new URL(request.url).pathname}">${title}</a> ${read}</li>`);
  }
  if (!newest) return;
  const main = `<main id="main"><h1>This site cannot be reached</h1>
<p>These pages were kept. The scores on them are of the time below each, or later.</p>
<div class="contents"><ul>${items.join("")}</ul><a href="">Try again</a></div></main>`;
  const frame = (await newest.text())
    .replace(/<main[^]*<\/main>/, () => main)
    .replace(/<title>.* - /, "<title>Offline - ")
    .replace(/<a class="skip" href="#(?!main).*<\/a>/, "")
    .replace(/ aria-current="\w+"/g, "");
  return marked(newest, frame);
}

function marked(page, html) {
  const headers = { "Content-Type": page.headers.get("Content-Type") };
  headers["Content-Security-Policy"] = page.headers.get("Content-Security-Policy");
  return new Response(html, { headers });
}

// A message about a game; a later one takes its place.
addEventListener("push", (event) => {
  const { title, body, page } = event.data.json();
  const options = { body, data: page, icon: "/static/icon-192.png", renotify: true, tag: page };
  event.waitUntil(registration.showNotification(title, options));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});
addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribe(event)));

async function show(page) {
  const windows = await clients.matchAll({ type: "window" });
  const shown = windows.find(({ url }) => new URL(url).pathname === page);
  return shown ? shown.focus() : clients.openWindow(page);
}

// Where messages are sent has changed. A browser that does not say how is forgotten by the site.
async function subscribe({ oldSubscription, newSubscription }) {
  const renewed = () => oldSubscription && registration.pushManager.subscribe(oldSubscription.options);
  const body = JSON.stringify(newSubscription ?? (await renewed()));
  const headers = { "Content-Type": "application/json" };
  if (body) await fetch("/push", { body, headers, method: "POST" });
}
