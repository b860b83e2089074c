/** The list of chats: found by search, renamed in place, with a menu for each. */

import { t } from "./words.js";

const DAY_MS = 86_400_000;
const SEARCH_MS = 150;
const template = document.querySelector("#entry-template");

export class Shelf {
  #root;
  #library;
  #search;
  #onMenu;
  #found = null; // the ids that match the search; null while there is none
  #timer = 0;
  current = null;

  /** `onMenu(id, button)` hears of the wish to do something with a chat. */
  constructor(root, search, library, onMenu) {
    this.#root = root;
    this.#search = search;
    this.#library = library;
    this.#onMenu = onMenu;
    search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), SEARCH_MS);
    });
  }

  /** Draws the list anew, unless a name is being edited in it. */
  show() {
    if (this.#root.querySelector("input")) return;
    const focused = document.activeElement?.closest?.(".entry")?.dataset.id;
    const records = this.#library.records.filter(({ id }) => this.#found?.has(id) ?? true);
    const groups = Map.groupBy(records, ({ updated }) => ageOf(updated));
    const nodes = [...groups].flatMap(([age, group]) => this.#groupNodes(age, group));
    this.#root.replaceChildren(...(nodes.length ? nodes : [this.#nothing()]));
    if (focused) this.#entry(focused)?.querySelector("button").focus();
  }

  /** Lets the user type another name; `onDone(name)` gets it. */
  rename(id, onDone) {
    const link = this.#entry(id).querySelector("a");
    const field = document.createElement("input");
    field.ariaLabel = t("rename");
    field.value = link.textContent;
    field.maxLength = 200;
    let isOpen = true;
    const close = (isMeant) => {
      if (!isOpen) return;
      isOpen = false;
      const name = field.value.trim();
      field.replaceWith(link);
      if (isMeant && name) onDone(name);
      this.show();
      this.#entry(id)?.querySelector("a").focus();
    };
    field.onblur = () => close(true);
    field.onkeydown = (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
    };
    link.replaceWith(field);
    field.focus();
    field.select();
  }

  async #find() {
    const text = this.#search.value.trim();
    const found = text ? await this.#library.find(text) : null;
    if (text !== this.#search.value.trim()) return; // more was typed meanwhile
    this.#found = found;
    this.show();
  }

  #groupNodes(age, records) {
    const heading = document.createElement("h2");
    heading.textContent = t(age);
    const list = document.createElement("ul");
    list.append(...records.map((record) => this.#makeEntry(record)));
    return [heading, list];
  }

  #makeEntry({ id, title }) {
    const node = template.content.cloneNode(true).firstElementChild;
    const link = node.querySelector("a");
    const button = node.querySelector("button");
    node.dataset.id = id;
    link.href = `#${id}`;
    link.textContent = link.title = title;
    if (id === this.current) link.ariaCurrent = "page";
    node.classList.toggle("busy", this.#library.isLive(id));
    button.ariaLabel = button.title = t("options_of", { title });
    button.onclick = () => this.#onMenu(id, button);
    return node;
  }

  #nothing() {
    const node = document.createElement("p");
    node.textContent = t(this.#found ? "nothing_found" : "no_chats");
    return node;
  }

  #entry(id) {
    return this.#root.querySelector(`.entry[data-id="${id}"]`);
  }
}

function ageOf(time) {
  const today = new Date().setHours(0, 0, 0, 0);
  if (time >= today) return "today";
  return time >= today - 6 * DAY_MS ? "this_week" : "older";
}
