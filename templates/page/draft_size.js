/** How much of the context a chat would take with a long message that is not sent yet. */

import { withKey } from "./key.js";

const MIN_CHARACTERS = 1000; // shorter ones change little
const PAUSE_MS = 400;

export class DraftSize {
  #onSize;
  #timer = 0;
  #control = new AbortController();

  /** `onSize(tokens)` hears what the server counts. */
  constructor(onSize) {
    this.#onSize = onSize;
  }

  /** Has `messages()` counted once nothing changes any more; `length` is that of the draft. */
  count(messages, length, key) {
    clearTimeout(this.#timer);
    this.#control.abort();
    if (length < MIN_CHARACTERS) return;
    this.#timer = setTimeout(() => this.#ask(messages, key), PAUSE_MS);
  }

  async #ask(messages, key) {
    this.#control = new AbortController();
    const headers = withKey(key, { "Content-Type": "application/json" });
    try {
      const response = await fetch("v1/chat/completions/input_tokens", {
        method: "POST",
        headers,
        body: JSON.stringify({ messages: messages() }),
        signal: this.#control.signal,
      });
      if (response.ok) this.#onSize((await response.json()).input_tokens);
    } catch {
      // The message changed, or the server is away, which the page says already.
    }
  }
}
