// Single keys: j and k for games, digits for leagues, / and ?. Loaded with the first key pressed.
const dialog = document.createElement("dialog");
dialog.setAttribute("aria-labelledby", "keys-name");
dialog.innerHTML = `<h2 id="keys-name">Keyboard</h2>
<dl><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next game, previous game</dd>
<dt><kbd>1</kbd> to <kbd>9</kbd></dt><dd>League, in the order of the menu</dd>
<dt><kbd>/</kbd></dt><dd>Find a team</dd>
<dt><kbd>?</kbd></dt><dd>This list</dd></dl>
<p><button type="button" id="switch"></button> <button type="button" id="close" autofocus>Close</button></p>`;
document.body.append(dialog);
const [toggle, close] = dialog.querySelectorAll("button");
let store = {};
try {
  store = localStorage;
} catch {} // a browser that keeps nothing for us

const name = () => (toggle.textContent = store.keys === "off" ? "Switch keys on" : "Switch keys off");
toggle.onclick = () => {
  store.keys = store.keys === "off" ? "" : "off";
  name();
};
close.onclick = () => dialog.close();
name();

export function press(event) {
  const { key, target } = event;
  if (event.type === "click") return dialog.showModal();
  const isTyping = target.closest("input, select, textarea, dialog");
  if (store.keys === "off" || isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  const games = [...document.querySelectorAll(".g>a")];
  const here = games.indexOf(target.closest(".g")?.querySelector("a"));
  if (key === "?") dialog.showModal();
  else if (key === "/") find();
  else if (key === "j") games[here + 1]?.focus();
  else if (key === "k") games[here - 1]?.focus();
  else if (/^[1-9]$/.test(key)) document.querySelectorAll("header nav a")[1 + Number(key)]?.click();
  else return;
  event.preventDefault();
}

function find() {
  const field = document.querySelector("header input");
  if (field.checkVisibility()) field.focus();
  else location = "/search";
}

document.onkeydown = press; // in place of who loaded this
