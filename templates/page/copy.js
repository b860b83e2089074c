/** Copies text, also on a page served over plain HTTP from another computer. */

import { t } from "./words.js";

const SHOWN_MS = 1500;

/** Copies `text` and says so on the button for a moment. */
export async function copyFrom(button, text) {
  const label = button.querySelector("span");
  const isCopied = await copy(text);
  label.textContent = t(isCopied ? "copied" : "not_copied");
  button.classList.toggle("copied", isCopied);
  setTimeout(() => {
    label.textContent = t("copy");
    button.classList.remove("copied");
  }, SHOWN_MS);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Browsers offer `navigator.clipboard` only on this computer or over HTTPS. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}
