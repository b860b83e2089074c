/** What keys do anywhere on the page. */

const dialog = document.querySelector("#shortcuts");

export function connectShortcuts({ startNew, drawer, openSettings }) {
  const actions = {
    "ctrl+shift+o": startNew,
    "ctrl+k": () => search(drawer),
    "ctrl+b": () => drawer.toggle(),
    "ctrl+,": openSettings,
    "ctrl+/": () => dialog.showModal(),
  };
  document.querySelector("#show-shortcuts").onclick = () => dialog.showModal();
  addEventListener("keydown", (event) => {
    const isControl = event.ctrlKey || event.metaKey;
    const keys = [isControl && "ctrl", event.shiftKey && "shift", event.key.toLowerCase()];
    const action = actions[keys.filter(Boolean).join("+")];
    if (!action || event.altKey || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    action();
  });
}

function search(drawer) {
  drawer.set(true);
  document.querySelector("#search").focus();
}
