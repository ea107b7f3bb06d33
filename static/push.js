// Messages on this device: asks whether they are wanted, and tells the site where to send them.
const part = document.querySelector("#push");
const [on, decline] = part?.querySelectorAll("button") ?? [];
const say = (text) => (part.querySelector("[role=status]").textContent = text);
let store = {};
try {
  store = localStorage;
} catch {} // a browser that keeps nothing for us

// Why there can be no messages; undefined where there can.
function obstacle() {
  if (!isSecureContext) return "Browsers allow messages from sites with HTTPS only, and this one has none.";
  if (!(navigator.serviceWorker && window.PushManager && window.Notification))
    return /iPhone|iPad/.test(navigator.userAgent)
      ? "On an iPhone or iPad, add this site to the home screen and open it there: then it can send messages."
      : "This browser takes no messages from sites.";
  if (Notification.permission === "denied")
    return "This browser was told to show no messages of this site. Its settings can change that.";
}

async function switchOn() {
  if ((await Notification.requestPermission()) !== "granted") return say(obstacle() ?? "Nothing was switched on.");
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager.getSubscription())?.unsubscribe(); // it may be for another key
  const options = { applicationServerKey: part.dataset.key, userVisibleOnly: true };
  const body = JSON.stringify(await pushManager.subscribe(options));
  const headers = { Accept: "text/plain", "Content-Type": "application/json" };
  const answer = await fetch("/push", { body, headers, method: "POST" });
  if (!answer.ok) return say(await answer.text());
  say("Messages are on. The preferences have what you are told.");
  if (decline) on.hidden = decline.hidden = true;
  else location.reload();
}

if (part && decline) {
  part.hidden = obstacle() !== undefined || Notification.permission !== "default" || "push" in store;
  decline.onclick = () => {
    store.push = "declined";
    part.hidden = true;
  };
} else if (part) {
  const why = obstacle();
  on.hidden = why !== undefined;
  if (why) say(why);
}
if (part)
  on.onclick = () => {
    store.push = "asked";
    on.disabled = true;
    switchOn()
      .catch(() => say("This browser cannot reach the service that brings it messages. Try again later."))
      .finally(() => (on.disabled = false));
  };
