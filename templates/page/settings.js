/** The settings panel: what a chat wants to be different from the solofile's own defaults. */

import { Presets } from "./presets.js";
import { keep, recall } from "./store.js";
import { t } from "./words.js";

const NUMBERS = ["temperature", "max_tokens", "top_p", "top_k", "min_p", "repeat_penalty", "seed"];
const NAMES = ["system", ...NUMBERS];

export class Settings {
  #dialog;
  #form;
  #onChange = () => {};

  constructor(dialog) {
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#form.addEventListener("input", ({ target }) => {
      if (target.name === "key") keep("local", "key", target.value.trim());
      else if (NAMES.includes(target.name)) this.#onChange(this.#values);
    });
    dialog.querySelector("#reset").addEventListener("click", () => this.#take({}));
    new Presets(dialog, { values: () => this.#values, take: (values) => this.#take(values) });
    this.#form.elements.key.value = this.key;
    if (this.key) this.revealKey();
  }

  /** What new chats begin with. */
  get defaults() {
    return recall("local", "settings") ?? {};
  }

  get key() {
    return recall("local", "key") ?? "";
  }

  /** Opens the panel for a chat's settings, or where there is no chat for those of new ones. */
  open(chat, onChange) {
    this.#dialog.querySelector("#settings-scope").textContent = t(chat ? "of_this" : "of_new");
    this.#onChange = chat ? onChange : (values) => keep("local", "settings", values);
    this.#fill(chat?.record.settings ?? this.defaults);
    this.#dialog.showModal();
  }

  /** Shows the field for a key; most solofiles ask for none. */
  revealKey() {
    this.#dialog.querySelector("#key-field").hidden = false;
  }

  /** Shows in the empty fields what the solofile takes there. */
  hint(params) {
    for (const name of NUMBERS) {
      const isTold = params[name] !== undefined && !["seed", "max_tokens"].includes(name);
      if (isTold) this.#form.elements[name].placeholder = Number(params[name].toFixed(4));
    }
  }

  /** What is filled in; what is empty or not valid is left to the server. */
  get #values() {
    const fields = NAMES.map((name) => this.#form.elements[name]);
    const filled = fields.filter(({ validity, value }) => validity.valid && value.trim());
    return Object.fromEntries(
      filled.map(({ name, value }) => [name, name === "system" ? value.trim() : Number(value)]),
    );
  }

  #take(values) {
    this.#fill(values);
    this.#onChange(this.#values);
  }

  #fill(values) {
    for (const name of NAMES) this.#form.elements[name].value = values[name] ?? "";
  }
}

/** Returns of some object only what settings may be, to be trusted like those of the panel. */
export function validSettings(given) {
  const values = {};
  if (typeof given?.system === "string") values.system = given.system;
  for (const name of NUMBERS) if (Number.isFinite(given?.[name])) values[name] = given[name];
  return values;
}
