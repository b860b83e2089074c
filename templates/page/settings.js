/** The settings panel: what the user wants to be different from the solofile's own defaults. */

import { keep, recall } from "./store.js";

const NAMES = ["system", "temperature", "max_tokens", "key"];

export class Settings {
  #dialog;
  #form;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#fill(recall("local", "settings") ?? {});
    this.#form.addEventListener("input", () => this.#save());
    dialog.querySelector("#reset").addEventListener("click", () => {
      this.#fill({});
      this.#save();
    });
    if (this.key) this.revealKey();
  }

  open() {
    this.#dialog.showModal();
  }

  /** Shows the field for a key; most solofiles ask for none. */
  revealKey() {
    this.#dialog.querySelector("#key-field").hidden = false;
  }

  get system() {
    return this.#value("system");
  }

  get key() {
    return this.#value("key");
  }

  /** The sampling options of a request; what is empty or not valid is left to the server. */
  get options() {
    const names = ["temperature", "max_tokens"].filter((name) => this.#value(name));
    return Object.fromEntries(names.map((name) => [name, Number(this.#value(name))]));
  }

  #value(name) {
    const field = this.#form.elements[name];
    return field.validity.valid ? field.value.trim() : "";
  }

  #fill(values) {
    for (const name of NAMES) this.#form.elements[name].value = values[name] ?? "";
  }

  #save() {
    const values = NAMES.map((name) => [name, this.#value(name)]);
    keep("local", "settings", Object.fromEntries(values));
  }
}
