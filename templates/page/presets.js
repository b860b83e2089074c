/** Named sets of settings, to be taken for any chat. */

import { keep, recall } from "./store.js";

export class Presets {
  #select;
  #name;
  #saver;
  #remover;
  #settings;

  /** `settings` has `values()`, what is filled in, and `take(values)`, which fills it in. */
  constructor(dialog, settings) {
    this.#select = dialog.querySelector("#preset");
    this.#name = dialog.querySelector("#preset-name");
    this.#saver = dialog.querySelector("#save-preset");
    this.#remover = dialog.querySelector("#delete-preset");
    this.#settings = settings;
    this.#select.addEventListener("change", () => this.#take());
    this.#saver.addEventListener("click", () => this.#save());
    this.#remover.addEventListener("click", () => this.#remove());
    this.#name.addEventListener("input", () => this.#showControls());
    this.#name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // or the panel would close
      this.#save();
    });
    this.#show("");
  }

  get #kept() {
    return recall("local", "presets") ?? {};
  }

  #take() {
    const name = this.#select.value;
    this.#name.value = name;
    this.#showControls();
    if (name) this.#settings.take(this.#kept[name]);
  }

  #save() {
    const name = this.#name.value.trim();
    if (!name) return;
    keep("local", "presets", { ...this.#kept, [name]: this.#settings.values() });
    this.#show(name);
  }

  #remove() {
    const { [this.#select.value]: _, ...others } = this.#kept;
    keep("local", "presets", others);
    this.#show("");
    this.#select.focus();
  }

  #show(chosen) {
    const names = Object.keys(this.#kept).sort((first, second) => first.localeCompare(second));
    const none = this.#select.options[0];
    this.#select.replaceChildren(none, ...names.map((name) => new Option(name, name)));
    this.#select.value = chosen;
    this.#name.value = chosen;
    this.#showControls();
  }

  #showControls() {
    this.#saver.disabled = !this.#name.value.trim();
    this.#remover.disabled = !this.#select.value;
  }
}
