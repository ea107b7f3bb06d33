// The panel's script: confirms destructive actions, refreshes live parts, shows local times.

document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// ---- confirmation: a form with data-ask is sent once its question was answered with yes; the
// field "sure" then tells the server that it need not show its own page with the question

function ask(form) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Are you sure?");
  const text = document.createElement("p");
  text.textContent = form.dataset.ask;
  const choice = document.createElement("form");
  choice.method = "dialog";
  for (const [value, label] of [["yes", form.dataset.yes], ["", "No, go back"]]) {
    const button = document.createElement("button");
    button.value = value;
    button.textContent = label;
    button.className = value;
    button.autofocus = !value;
    choice.append(button);
  }
  dialog.append(text, choice);
  dialog.onclose = () => {
    dialog.remove();
    if (dialog.returnValue !== "yes") return form.querySelector("button").focus();
    const sure = document.createElement("input");
    Object.assign(sure, { type: "hidden", name: "sure", value: "yes" });
    form.append(sure);
    form.requestSubmit();
  };
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !form.elements.sure) {
    event.preventDefault();
    ask(form);
  } else if (form.method === "post") {
    const button = event.submitter || form.querySelector("button");
    setTimeout(() => button && (button.disabled = true)); // a second click must not send it again
  }
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form button[disabled]")) button.disabled = false;
});

// ---- refreshing: elements with an id are patched when they have changed

const EVERY = 5000;
const live = document.querySelector("[data-refresh]");
const fresh = document.querySelector("#fresh");
const pause = document.querySelector("#pause");
const title = document.title;
let paused = false;
let timer;

function isInUse(part) {
  return part.contains(document.activeElement) && document.activeElement !== document.body
    || part.querySelector("details[open]") || document.querySelector("dialog[open]");
}

// Unchanged nodes stay, and with them focus, selection and scroll position.
function patch(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  const same = old.nodeName === wanted.nodeName && old.dataset?.k === wanted.dataset?.k;
  if (!same || old.nodeType !== 1) return old.replaceWith(wanted);
  for (const { name } of [...old.attributes]) wanted.hasAttribute(name) || old.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    old.getAttribute(name) === value || old.setAttribute(name, value);
  const next = [...wanted.childNodes];
  [...old.childNodes].forEach((child, n) => (next[n] ? patch(child, next[n]) : child.remove()));
  old.append(...next.slice(old.childNodes.length));
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const part of page.querySelectorAll("body > [id], section[id]")) {
    const old = document.getElementById(part.id);
    if (old && !isInUse(old)) patch(old, part);
  }
  document.title = (live.querySelector("[data-alarm]") ? "(!) " : "") + title;
  localTimes(live);
}

async function refresh() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  try {
    const answer = await fetch(live.dataset.refresh, {
      cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(15000),
    });
    if (answer.type === "opaqueredirect" || answer.status === 403) return signedOut();
    if (!answer.ok) throw new Error(answer.status);
    show(await answer.text());
    fresh.textContent = "";
    fresh.title = `Updated ${new Date().toLocaleTimeString()}`;
  } catch {
    fresh.textContent = "The panel does not respond. Trying again.";
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY);
}

function signedOut() {
  fresh.textContent = "You are signed out. ";
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Sign in again";
  fresh.append(link);
}

if (live) {
  pause.hidden = false;
  pause.onclick = () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    refresh();
  };
  document.addEventListener("visibilitychange", refresh);
  plan();
}

// ---- times in the browser's zone with UTC beside them, unless the visitor chose a zone on the site

function localTimes(where) {
  for (const time of where.querySelectorAll('time[data-local]:not([data-local="shown"])')) {
    const at = new Date(time.dateTime);
    const isClock = time.dataset.local === "clock";
    time.dataset.local = "shown";
    if (!at.getTimezoneOffset()) continue;
    const day = at.toLocaleDateString("sv-SE"); // 2026-01-31
    const clock = at.toLocaleTimeString("en-US", {
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
      ...!isClock && { timeZoneName: "short" },
    });
    if (isClock) {
      time.textContent = clock;
      continue;
    }
    const utc = document.createElement("small");
    utc.textContent = time.textContent.replace(`${day} `, "");
    time.replaceChildren(`${day} ${clock} `, utc);
  }
}
localTimes(document);

// ---- the browser's zone for a span of time, unless the visitor or the address has one

const zones = document.querySelector('select[name="zone"]');
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (zones && timeZone && ![...zones.options].some((option) => option.value === timeZone)) {
  const isOwn = zones.options.length === 1 && !new URLSearchParams(location.search).get("zone");
  zones.add(new Option(timeZone, timeZone, false, isOwn));
}
