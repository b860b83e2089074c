/** Has the model write answers, one in each chat at most, whether the chat is shown or not. */

import { addChunk } from "./chat.js";
import { complete, ServerError } from "./stream.js";
import { t } from "./words.js";

const KEEP_MS = 500;

export class Writer {
  #library;
  #settings;
  #runs = new Map(); // by the chat's id: { chat, answer, control }
  #onChunk;
  #onEnd;

  /** `onChunk(answer)` hears of new text and `onEnd(chat, answer, error)` of the end. */
  constructor(library, settings, { onChunk, onEnd }) {
    this.#library = library;
    this.#settings = settings;
    this.#onChunk = onChunk;
    this.#onEnd = onEnd;
    addEventListener("pagehide", () => this.#leave());
  }

  isWriting(id) {
    return this.#runs.has(id);
  }

  stop(id) {
    this.#runs.get(id)?.control.abort();
  }

  /** Writes an answer, or goes on with one that has text already. */
  async write(chat, answer) {
    const control = new AbortController();
    const request = this.#request(chat, answer);
    answer.finish = answer.problem = "";
    this.#runs.set(chat.id, { answer, control });
    this.#library.hold(chat);
    await this.#library.putMessages(chat, ...chat.path.slice(-2));
    let failure = null;
    try {
      await this.#receive(answer, request, control.signal);
    } catch (error) {
      if (control.signal.aborted) answer.finish = "stopped";
      else failure = error;
    }
    if (failure) answer.problem = explain(failure);
    this.#runs.delete(chat.id);
    this.#library.release(chat);
    if (this.#library.has(chat.id)) await this.#library.putMessages(chat, answer);
    this.#onEnd(chat, answer, failure);
  }

  async #receive(answer, request, signal) {
    let kept = performance.now();
    for await (const chunk of complete(request, { signal, key: this.#settings.key })) {
      addChunk(answer, chunk);
      this.#onChunk(answer);
      if (performance.now() - kept < KEEP_MS) continue;
      kept = performance.now();
      this.#library.keepPart(answer);
    }
  }

  #request(chat, answer) {
    const { system, ...options } = chat.record.settings;
    const messages = chat.before(answer);
    if (system) messages.unshift({ role: "system", content: system });
    if (!answer.text) return { messages, ...options };
    const { text, thinking } = answer;
    const begun = { role: "assistant", content: text };
    if (thinking) begun.reasoning_content = thinking;
    const how = { add_generation_prompt: false, continue_final_message: true };
    return { messages: [...messages, begun], ...how, ...options };
  }

  /** Keeps what there is of all answers before the page goes. */
  #leave() {
    for (const { answer, control } of this.#runs.values()) {
      answer.finish = "stopped";
      this.#library.keepPart(answer);
      control.abort();
    }
  }
}

function explain(error) {
  if (!(error instanceof ServerError)) return t("lost");
  return error.code === 401 ? t("key_wanted") : error.message;
}
