/** Chats that the server keeps in a file; what `database.js` does in the browser. */

import { withKey } from "./key.js";
import { recall } from "./store.js";

// Browsers carry no longer ones to the server once the page has gone.
const MAX_LASTING = 60_000;

/** The server refused; `code` is its HTTP status. */
class HistoryError extends Error {
  constructor(code) {
    super(`history: ${code}`);
    this.code = code;
  }
}

export class History {
  isLasting = true;

  chats() {
    return ask("GET", "chats");
  }

  messages(chat) {
    return ask("GET", `chats/${chat}/messages`);
  }

  async find(text) {
    return new Set(await ask("POST", "find", { text }));
  }

  put(record, messages) {
    return ask("PUT", `chats/${record.id}`, { record, messages });
  }

  change(record, changes) {
    return ask("PATCH", `chats/${record.id}`, changes);
  }

  putMessage(message) {
    return ask("PUT", `messages/${message.id}`, message);
  }

  removeMessages(ids) {
    return ask("POST", "remove_messages", ids);
  }

  remove(id) {
    return ask("DELETE", `chats/${id}`);
  }
}

async function ask(method, path, content) {
  const key = recall("local", "key");
  const body = content && JSON.stringify(content);
  const response = await fetch(`history/${path}`, {
    method,
    body,
    headers: withKey(key),
    keepalive: Boolean(body) && body.length < MAX_LASTING,
  });
  if (!response.ok) throw new HistoryError(response.status);
  return response.json();
}
