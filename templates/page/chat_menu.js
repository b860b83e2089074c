/** What can be done with a whole chat, and with all of them. */

import { parse, toJSON, toMarkdown } from "./exchange.js";
import { download, pick } from "./files.js";
import { connectMenu, openMenu } from "./menu.js";
import { say } from "./toast.js";
import { t } from "./words.js";

const find = (id) => document.getElementById(id);

export class ChatMenu {
  #library;
  #shelf;
  #onRemove;
  #id = "";

  /** `shelf()` returns the list of chats, made after this; `onRemove(id)` hears of what goes. */
  constructor(library, shelf, onRemove) {
    this.#library = library;
    this.#shelf = shelf;
    this.#onRemove = onRemove;
    connectMenu(find("chat-menu"));
    connectMenu(find("menu"), find("more"));
    find("rename").onclick = () => this.#rename();
    find("export-markdown").onclick = () => this.#exportMarkdown();
    find("export-json").onclick = () => this.#exportJSON([this.#record]);
    find("delete-chat").onclick = () => this.#remove();
    find("export-all").onclick = () => this.#exportJSON(library.records);
    find("import").onclick = () => this.#import();
  }

  open(id, button) {
    this.#id = id;
    openMenu(find("chat-menu"), button);
  }

  get #record() {
    return this.#library.record(this.#id);
  }

  #rename() {
    const { id } = this.#record;
    this.#shelf().rename(id, (title) => this.#library.change(this.#record, { title }));
  }

  async #remove() {
    const { title } = this.#record;
    this.#onRemove(this.#id);
    const undo = await this.#library.remove(this.#id);
    say(t("deleted", { title }), undo);
  }

  async #exportMarkdown() {
    const { record, path } = await this.#library.open(this.#id);
    const names = { user: t("you"), assistant: t("answer") };
    download(toMarkdown(record.title, path, names), record.title, ".md", "text/markdown");
  }

  async #exportJSON(records) {
    const chats = [];
    for (const record of records) {
      chats.push({ record, messages: (await this.#library.open(record.id)).messages });
    }
    const name = records.length === 1 ? records[0].title : t("chats");
    download(toJSON(chats), name, ".json", "application/json");
  }

  async #import() {
    for (const file of await pick({ accept: ".json,.md,.markdown", isMultiple: true })) {
      try {
        const chats = parse(await file.text());
        for (const { record, messages } of chats) await this.#library.merge(record, messages);
        say(t("imported", { n: chats.length }));
      } catch {
        say(t("not_imported", { name: file.name }));
      }
    }
  }
}
