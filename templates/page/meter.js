/** How much of the model's context a chat takes; it warns before that is full. */

import { formatNumber, t } from "./words.js";

const NEARLY_FULL = 0.85;

export class Meter {
  #node;
  limit = 0; // tokens; 0 while it is not known

  constructor(node) {
    this.#node = node;
  }

  /** Shows that a chat takes `used` tokens; nothing where that is not known. */
  show(used) {
    const isKnown = used > 0 && this.limit > 0;
    this.#node.hidden = !isKnown;
    if (!isKnown) return;
    const part = Math.min(1, used / this.limit);
    const isNearlyFull = part >= NEARLY_FULL;
    const [n, of] = [used, this.limit].map(formatNumber);
    const bar = this.#node.querySelector("[role=meter]");
    bar.ariaValueNow = String(Math.round(part * 100));
    bar.ariaValueText = t("n_of_context", { n, of });
    bar.style.setProperty("--part", part);
    this.#node.classList.toggle("full", isNearlyFull);
    this.#node.title = t("n_of_context", { n, of });
    this.#node.querySelector("span").textContent = isNearlyFull
      ? t("nearly_full", { n, of })
      : t("n_of_context", { n, of });
  }
}
