/** The switch between the messages that stand at one place: ‹ 2/3 ›. */

import { formatNumber } from "./words.js";

/** Shows which of `siblings` this message is; `onShow(sibling)` hears of the wish for another. */
export function showBranches(node, message, siblings, onShow) {
  const branches = node.querySelector(".branches");
  if (siblings.length < 2) {
    if (!branches.hidden) branches.hidden = true;
    return;
  }
  const place = siblings.indexOf(message);
  const [earlier, later] = [siblings[place - 1], siblings[place + 1]];
  branches.hidden = false;
  const count = [place + 1, siblings.length].map(formatNumber).join("/");
  branches.querySelector(":scope > span").textContent = count;
  connect(branches.querySelector(".earlier"), earlier, onShow);
  connect(branches.querySelector(".later"), later, onShow);
}

function connect(button, sibling, onShow) {
  button.disabled = !sibling;
  button.onclick = () => onShow(sibling);
}
