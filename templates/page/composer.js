/** Where questions are written, with the files that go with them. */

import { attachmentNode, readAttachment } from "./attachments.js";
import { pick } from "./files.js";
import { say } from "./toast.js";

export class Composer {
  #form;
  #field;
  #list;
  #send;
  #stop;
  #attachments = [];
  #isReady = false;
  #isWriting = false;
  #actions;
  canSee = false;

  /** `actions` has `send(text, attachments)`, `stop()`, `editLast()` and `change()`. */
  constructor(form, actions) {
    this.#form = form;
    this.#actions = actions;
    this.#field = form.querySelector("#input");
    this.#list = form.querySelector("#attachments");
    this.#send = form.querySelector("#send");
    this.#stop = form.querySelector("#stop");
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    this.#field.addEventListener("input", () => this.#onInput());
    this.#stop.addEventListener("click", () => actions.stop());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.querySelector("#attach").addEventListener("click", async () =>
      this.#attach(await pick({ isMultiple: true })),
    );
    this.#acceptDrops();
  }

  get text() {
    return this.#field.value.trim();
  }

  get attachments() {
    return this.#attachments;
  }

  /** Puts a text into the field. */
  fill(text) {
    this.#field.value = text;
    this.#onInput();
    this.focus();
  }

  /** Puts the cursor into the field, but opens no keyboard over the page of a phone. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.#field.focus({ preventScroll: true });
  }

  /** Shows whether the model can be asked, and whether it is answering. */
  set({ isReady, isWriting }) {
    this.#isReady = isReady;
    this.#isWriting = isWriting;
    this.#showControls();
  }

  #showControls() {
    const hasFocus = this.#form.contains(document.activeElement);
    this.#send.hidden = this.#isWriting;
    this.#stop.hidden = !this.#isWriting;
    this.#send.disabled = !this.#isReady || !(this.text || this.#attachments.length);
    if (hasFocus && !this.#form.contains(document.activeElement)) this.focus();
  }

  #submit() {
    if (this.#isWriting || this.#send.disabled) return;
    const { text } = this;
    const attachments = this.#attachments.splice(0);
    this.#field.value = "";
    this.#showAttachments();
    this.#onInput();
    this.#actions.send(text, attachments);
    this.focus();
  }

  #onInput() {
    this.#fit();
    this.#showControls();
    this.#actions.change();
  }

  /** Grows the field with its text where the browser does not do that by itself. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  #onKey(event) {
    if (event.isComposing || event.keyCode === 229) return; // an input method is at work
    if (event.key === "Escape") this.#actions.stop();
    if (event.key === "ArrowUp" && !this.#field.value && this.#actions.editLast()) {
      event.preventDefault();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.#submit();
  }

  #acceptDrops() {
    this.#field.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (!files.length) return;
      event.preventDefault();
      this.#attach(files);
    });
    addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.#form.classList.add("wanted");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.#form.classList.remove("wanted");
    });
    addEventListener("drop", (event) => {
      this.#form.classList.remove("wanted");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.#attach([...event.dataTransfer.files]);
    });
  }

  async #attach(files) {
    for (const file of files) {
      try {
        this.#attachments.push(await readAttachment(file, this.canSee));
      } catch (error) {
        say(error.message);
      }
    }
    this.#showAttachments();
    this.#showControls();
    this.#actions.change();
    this.focus();
  }

  #showAttachments() {
    const nodes = this.#attachments.map((attachment, index) =>
      attachmentNode(attachment, () => {
        this.#attachments.splice(index, 1);
        this.#showAttachments();
        this.#showControls();
        this.#actions.change();
        this.focus();
      }),
    );
    this.#list.replaceChildren(...nodes);
    this.#list.hidden = !nodes.length;
  }
}
