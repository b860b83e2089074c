/** Asks the server for a chat completion and reads its event stream, wherever the bytes are cut. */

import { withKey } from "./key.js";

/** What the server answered instead of a completion, or in the middle of one. */
export class ServerError extends Error {
  constructor({ message, code = 0, type = "" }) {
    super(message || "The server gave no reason.");
    this.code = code;
    this.type = type;
  }
}

/** Splits the bytes of a `text/event-stream` into the data of its events. */
export class EventParser {
  #decoder = new TextDecoder();
  #line = "";
  #data = [];
  #afterReturn = false;

  /** Takes the next bytes and returns the data of every event they complete. */
  push(bytes) {
    return this.#split(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Takes the end of the stream; an event that lacks only its blank line still counts. */
  end() {
    return this.#split(this.#decoder.decode() + "\n\n");
  }

  #split(text) {
    // A line ends with CR LF, LF or CR, and CR LF may be cut in two.
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text) this.#afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    const events = [];
    lines.forEach((piece, index) => {
      if (index) this.#finishLine(events);
      this.#line += piece;
    });
    return events;
  }

  #finishLine(events) {
    const field = /^data(?:: ?|$)/.exec(this.#line);
    if (field) this.#data.push(this.#line.slice(field[0].length));
    else if (!this.#line && this.#data.length) events.push(this.#data.splice(0).join("\n"));
    this.#line = "";
  }
}

/**
 * Streams one completion as the server's chunks; returns when the answer is whole.
 * Throws ServerError for what the server reports, AbortError when `signal` fires,
 * and TypeError when the connection fails.
 */
export async function* complete(request, { signal, key = "" }) {
  const headers = withKey(key, { "Content-Type": "application/json" });
  const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
  const response = await fetch("v1/chat/completions", { method: "POST", headers, body, signal });
  if (!response.ok) throw await refusal(response);
  yield* chunks(response.body.getReader());
}

async function* chunks(reader) {
  const parser = new EventParser();
  let isWhole = false;
  try {
    while (!isWhole) {
      const { done, value } = await reader.read();
      for (const data of done ? parser.end() : parser.push(value)) {
        if (data === "[DONE]") isWhole = true;
        else yield parseChunk(data);
      }
      if (done && !isWhole) throw new TypeError("the stream ended too early");
    }
  } finally {
    if (!isWhole) reader.cancel().catch(() => {});
  }
}

function parseChunk(data) {
  let chunk;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw new ServerError({ message: "The server sent something that is not JSON." });
  }
  if (chunk.error) throw new ServerError(chunk.error);
  return chunk;
}

async function refusal(response) {
  const fallback = { message: `The server answered ${response.status}.` };
  const { error } = await response.json().catch(() => ({}));
  return new ServerError({ ...(error ?? fallback), code: response.status });
}
