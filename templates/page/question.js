/** A question on the page, and the field it becomes when it is edited. */

import { attachmentNode } from "./attachments.js";
import { showBranches } from "./branches.js";
import { copyFrom } from "./copy.js";

const template = document.querySelector("#question-template");
const editTemplate = document.querySelector("#edit-template");

export class QuestionView {
  #chat;
  #actions;

  /** `actions` has `edit(message, text)`, `remove(message)` and `show(message)`. */
  constructor(message, chat, actions) {
    this.message = message;
    this.#chat = chat;
    this.#actions = actions;
    this.node = template.content.cloneNode(true).firstElementChild;
    this.node.dataset.id = message.id;
    this.#find(".question p").textContent = message.text;
    this.#find(".question p").hidden = !message.text;
    const { attachments = [] } = message;
    this.#find(".attachments").append(...attachments.map((one) => attachmentNode(one)));
    this.#find(".attachments").hidden = !attachments.length;
    this.#find(".edit").onclick = () => this.edit();
    this.#find(".copy").onclick = (event) => copyFrom(event.currentTarget, message.text);
    this.#find(".delete").onclick = () => actions.remove(message);
    this.refresh();
  }

  /** Shows how many other questions stand here. */
  refresh() {
    const siblings = this.#chat.siblings(this.message);
    showBranches(this.node, this.message, siblings, this.#actions.show);
  }

  /** Turns the question into a field; what is sent from there becomes a branch. */
  edit() {
    if (this.#find(".editor")) return false;
    const form = editTemplate.content.cloneNode(true).firstElementChild;
    const field = form.querySelector("textarea");
    const close = () => {
      form.remove();
      this.#setHidden(false);
      this.#find(".edit").focus();
    };
    field.value = this.message.text;
    form.querySelector(".cancel").onclick = close;
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text && !this.message.attachments?.length) return;
      close();
      if (text !== this.message.text) this.#actions.edit(this.message, text);
    };
    form.onkeydown = (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") close();
      if (event.key !== "Enter" || event.shiftKey || event.target !== field) return;
      event.preventDefault();
      form.requestSubmit();
    };
    this.#setHidden(true);
    this.node.append(form);
    field.focus();
    return true;
  }

  #setHidden(isHidden) {
    this.#find(".question").hidden = isHidden;
    this.#find(".after").hidden = isHidden;
  }

  #find(selector) {
    return this.node.querySelector(selector);
  }
}
