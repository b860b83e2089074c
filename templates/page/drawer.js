/** The side with the chats: beside the text where there is room, else a drawer over it. */

import { keep, recall } from "./store.js";

const narrow = matchMedia("(max-width: 54rem)");

export class Drawer {
  #side;
  #column;
  #opener;

  constructor({ side, column, opener, closer }) {
    this.#side = side;
    this.#column = column;
    this.#opener = opener;
    opener.addEventListener("click", () => this.set(true));
    closer.addEventListener("click", () => this.set(false));
    side.addEventListener("keydown", (event) => {
      const isMeant = event.key === "Escape" && !document.querySelector(":popover-open");
      if (isMeant && narrow.matches) this.set(false);
    });
    document.addEventListener("click", ({ target }) => {
      const isBeside = target === document.body || target === document.documentElement;
      if (column.inert && isBeside) this.set(false);
    });
    narrow.addEventListener("change", () => this.#reset());
    this.#reset();
  }

  /** Opens or closes it, and moves the focus along. */
  set(isOpen) {
    if (!narrow.matches) keep("local", "side", isOpen);
    this.#show(isOpen);
    if (isOpen) this.#side.querySelector("#hide-side").focus();
    else this.#opener.focus();
  }

  toggle() {
    this.set(!this.#side.classList.contains("open"));
  }

  /** Closes it where it covers the text. */
  leave() {
    if (narrow.matches) this.#show(false);
  }

  #reset() {
    this.#show(!narrow.matches && recall("local", "side") !== false);
  }

  #show(isOpen) {
    const isCovering = isOpen && narrow.matches;
    this.#side.classList.toggle("open", isOpen);
    this.#opener.ariaExpanded = String(isOpen);
    this.#opener.hidden = isOpen && !isCovering;
    this.#column.inert = isCovering;
    this.#column.classList.toggle("covered", isCovering);
  }
}
