// Keeps a page current: asks whether it has changed, and patches what has.
const find = (what, where = document) => where.querySelector(what);
const pause = find("#pause");
const ours = ["ago", "pause", "refresh", "offline"];
let read = find("#fresh")?.dataset.read;
let etag = document.documentElement.dataset.etag ?? "";
let failures = +("kept" in document.documentElement.dataset); // by sw.js: no answer came
let asked = Date.now();
let answered = failures ? 0 : asked;
let timer;
let asking;
let store = {};
try {
  store = localStorage;
} catch {} // a browser that keeps nothing for us
let paused = pause && Date.now() - store.paused < 864e5 ? +store.paused : 0;

// Makes one element like another. What has an id keeps its node, and so focus and selection.
function patch(old, fresh) {
  for (const { name } of [...old.attributes]) fresh.hasAttribute(name) || old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    old.getAttribute(name) === value || old.setAttribute(name, value);
  const named = new Map([...old.children].map((child) => [child.id, child]));
  const keep = [...fresh.childNodes].map((wanted, n) => {
    const node = wanted.id ? named.get(wanted.id) : old.childNodes[n];
    if (node?.nodeName !== wanted.nodeName || node.id !== wanted.id) return wanted;
    if (node.nodeType === 1) ours.includes(node.id) || patch(node, wanted);
    else if (node.data !== wanted.data) node.data = wanted.data;
    return node;
  });
  keep.forEach((node, n) => old.childNodes[n] === node || old.insertBefore(node, old.childNodes[n]));
  while (old.childNodes.length > keep.length) old.lastChild.remove();
}

const spoken = () =>
  new Map([...document.querySelectorAll("[data-say]")].map((e) => [e.id, e.dataset.say]));

// The scores on the page, by game and side: a node may show something else after a patch.
const scores = () =>
  [...document.querySelectorAll(".s")].map((e) => [e.closest("[id]").id + e.matches(".r + .r *, .side ~ .side *"), e]);
const calm = matchMedia("(prefers-reduced-motion)");

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const before = spoken();
  const was = new Map(scores().map(([side, { textContent }]) => [side, textContent]));
  const focused = document.activeElement;
  patch(find("main"), find("main", fresh));
  for (const [side, score] of scores())
    if (was.has(side) && was.get(side) !== score.textContent && !calm.matches)
      score.animate([{ background: "var(--mark)", color: "#141a24", offset: 0 }], 2000);
  document.title = fresh.title;
  etag = fresh.documentElement.dataset.etag ?? "";
  if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  const news = [...spoken()].filter(([id, say]) => before.has(id) && before.get(id) !== say);
  if (news.length) find("#say").textContent = news.map(([, say]) => say).join(". ");
}

async function ask() {
  if (asking) return;
  asking = true;
  asked = Date.now();
  let next = Infinity;
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": etag },
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    const html = answer.status === 200 && (await answer.text());
    if (!html && answer.status !== 304) throw answer.status;
    if (html && !paused) show(html);
    const { headers } = answer;
    read = headers.get("X-Feed-Read") || read;
    if (headers.has("X-Next-Read")) next = headers.get("X-Next-Read") - headers.get("Age") || 0;
    failures = 0;
    answered = Date.now();
  } catch {
    failures++;
  }
  asking = false;
  age();
  const { poll, live } = find("main").dataset;
  const wait = Math.min(live ? Math.max(next, 3) : poll, poll) + 0.75 + Math.random() * 1.25;
  plan(failures ? Math.min(2 ** failures * (1.5 + Math.random() / 2), live ? 60 : 600) : wait);
}

// Asks in so many seconds, but never within three of the last time, and not in a hidden tab.
function plan(seconds) {
  clearTimeout(timer);
  if (!paused && !document.hidden)
    timer = setTimeout(ask, Math.max(asked + 3000 - Date.now(), seconds * 1000));
}

// Asks at once; what failed before says little about now.
function again() {
  failures = Math.min(failures, 1);
  plan(0);
}

// Shows how old the data is, and whether anything newer comes: if not, live games are marked grey.
function age() {
  const isAway = failures && Date.now() - answered > 18500;
  const why = navigator.onLine ? isAway && "This site cannot be reached" : "You are offline";
  const stamp = !answered && find(".asof time:last-child");
  const late = stamp ? `as of ${stamp.textContent}` : "may be late";
  const words = why ? `${why}: scores ${late}.` : "";
  const note = find("#offline");
  if (note.textContent !== words) note.textContent = words;
  document.documentElement.classList.toggle("old", !!words);
  const ago = find("#ago");
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(read)) / 1000));
  const [size, unit] = seconds < 100 ? [1, "s"] : seconds < 6e3 ? [60, "min"] : seconds < 2e5 ? [3600, "h"] : [86400, "days"];
  if (ago && seconds >= 0) ago.textContent = `${Math.round(seconds / size)} ${unit} ago`;
}

function name() {
  const since = new Date(paused).toLocaleTimeString(pause.lang, { timeStyle: "short", timeZone: pause.dataset.zone });
  pause.textContent = paused ? `Paused since ${since}. Resume` : "Pause";
  find("#fresh").classList.toggle("paused", !!paused);
}

if (pause) {
  find("#refresh").hidden = true;
  pause.hidden = false;
  pause.onclick = () => {
    paused = paused ? 0 : Date.now();
    store.paused = paused || "";
    name();
    again();
  };
  if (paused) find("#fresh").hidden = false;
  name();
}

const { poll, live } = find("main").dataset;
if (poll) {
  document.onvisibilitychange = window.ononline = again;
  window.onoffline = age;
  plan(live ? 3 + Math.random() * 2 : poll);
  age();
  setInterval(age, 1000);
}

// The menu of leagues slides where it is wider than the screen; only some browsers heed our style.
const entry = find("header [aria-current]");
const menu = entry?.parentNode;
if (menu) menu.scrollLeft = entry.offsetLeft - menu.offsetLeft - (menu.clientWidth - entry.clientWidth) / 2;

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const spaced = timeZone?.replaceAll("_", " ");
const offer = find("#offer");
if (offer) {
  offer.hidden = false;
  offer.textContent += `: ${spaced}`;
  offer.onclick = () => (find("#zone").value = spaced);
}

// Offers the device's zone where the time there is another one, until it is taken or declined.
const own = find("#own");
const now = new Date();
const timeIn = (timeZone) => now.toLocaleString("en", { timeZone });
if (own && timeZone && !store.zone && timeIn(timeZone) !== timeIn(own.dataset.zone)) {
  const [use, decline] = own.querySelectorAll("button");
  own.elements.zone.value = timeZone;
  use.textContent = `Use ${spaced}`;
  decline.onclick = () => {
    own.hidden = true;
    store.zone = "declined";
  };
  own.hidden = false;
}

const help = find("#keys");
help.hidden = false;
help.onclick = document.onkeydown = async (event) => (await import(help.dataset.src)).press(event);
navigator.serviceWorker?.register("/static/sw.js", { scope: "/" }).catch(() => {}); // switched off
