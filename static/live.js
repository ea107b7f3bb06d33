// Keeps a page current: asks whether it has changed, and patches what has.
const find = (what, where = document) => where.querySelector(what);
const pause = find("#pause");
let etag = document.documentElement.dataset.etag;
let read = find("#fresh")?.dataset.read;
let failures = 0;
let paused = localStorage.getItem("paused") === "yes";
let timer;

// Makes one element like another. What has a key keeps its node, and so focus and selection.
function patch(old, fresh) {
  for (const { name } of [...old.attributes]) fresh.hasAttribute(name) || old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    old.getAttribute(name) === value || old.setAttribute(name, value);
  const keyed = new Map([...old.children].map((child) => [child.dataset.k, child]));
  const keep = [...fresh.childNodes].map((wanted, n) => {
    const key = wanted.dataset?.k;
    const node = key ? keyed.get(key) : old.childNodes[n];
    if (node?.nodeName !== wanted.nodeName || node.dataset?.k !== key) return wanted;
    if (node.nodeType === 1) node.id === "ago" || node.id === "pause" || patch(node, wanted);
    else if (node.data !== wanted.data) node.data = wanted.data;
    return node;
  });
  keep.forEach((node, n) => old.childNodes[n] === node || old.insertBefore(node, old.childNodes[n]));
  while (old.childNodes.length > keep.length) old.lastChild.remove();
}

const spoken = () =>
  new Map([...document.querySelectorAll("[data-say]")].map((e) => [e.dataset.k, e.dataset.say]));

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const before = spoken();
  const focused = document.activeElement;
  patch(find("main"), find("main", fresh));
  document.title = fresh.title;
  etag = fresh.documentElement.dataset.etag;
  if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  const news = [...spoken()].filter(([key, say]) => before.has(key) && before.get(key) !== say);
  if (news.length) find("#say").textContent = news.map(([, say]) => say).join(". ");
}

async function ask() {
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": etag },
      cache: "no-store",
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 200) show(await answer.text());
    else if (answer.status !== 304) throw answer.status;
    read = answer.headers.get("X-Feed-Read") || read;
    failures = 0;
  } catch {
    failures++;
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  const seconds = +find("main").dataset.poll * Math.min(2 ** failures, 20);
  timer = setTimeout(ask, seconds * (failures ? 750 + Math.random() * 500 : 1000));
}

function age() {
  const ago = find("#ago");
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(read)) / 1000));
  if (ago && seconds >= 0)
    ago.textContent = seconds < 100 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function name() {
  pause.textContent = paused ? "Resume updates" : "Pause updates";
}

if (pause) {
  pause.hidden = false;
  pause.onclick = () => {
    paused = !paused;
    localStorage.setItem("paused", paused ? "yes" : "");
    name();
    paused ? plan() : ask();
  };
  document.onvisibilitychange = () => (document.hidden || paused ? plan() : ask());
  name();
  plan();
  age();
  setInterval(age, 1000);
}
const zone = find("#other");
if (zone) zone.placeholder = Intl.DateTimeFormat().resolvedOptions().timeZone;
