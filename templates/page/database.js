/** Where chats are kept: the browser's IndexedDB, or where it has none, this page's memory. */

const VERSION = 1;

/** Opens the database of a name; it never fails. */
export async function openDatabase(name) {
  try {
    return new Database(await connect(name));
  } catch {
    return new Memory();
  }
}

function matching(text) {
  const wanted = text.toLocaleLowerCase();
  return (message) => message.text.toLocaleLowerCase().includes(wanted);
}

function connect(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("chats", { keyPath: "id" });
      request.result.createObjectStore("messages", { keyPath: "id" }).createIndex("chat", "chat");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}

class Database {
  isLasting = true;
  #connection;

  constructor(connection) {
    this.#connection = connection;
    connection.onversionchange = () => connection.close();
  }

  chats() {
    return this.#run("readonly", (chats) => chats.getAll());
  }

  messages(chat) {
    return this.#run("readonly", (_, messages) => messages.index("chat").getAll(chat));
  }

  /** Returns the ids of the chats with a message that contains a text, in whatever case. */
  find(text) {
    const isMatch = matching(text);
    const found = new Set();
    const visit = (_, messages) => {
      messages.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        if (!found.has(cursor.value.chat) && isMatch(cursor.value)) found.add(cursor.value.chat);
        cursor.continue();
      };
    };
    return this.#run("readonly", visit).then(() => found);
  }

  /** Keeps a whole chat. */
  put(record, messages) {
    return this.#run("readwrite", (chats, all) => {
      chats.put(record);
      for (const message of messages) all.put(message);
    });
  }

  /** Keeps the changed facts of a chat. */
  change(record) {
    return this.#run("readwrite", (chats) => chats.put(record));
  }

  putMessage(message) {
    return this.#run("readwrite", (_, messages) => messages.put(message));
  }

  removeMessages(ids) {
    return this.#run("readwrite", (_, messages) => ids.forEach((id) => messages.delete(id)));
  }

  /** Removes a chat and its messages. */
  remove(id, messageIds) {
    return this.#run("readwrite", (chats, messages) => {
      chats.delete(id);
      messageIds.forEach((messageId) => messages.delete(messageId));
    });
  }

  /** Writes are committed at once, so they are kept even if the page is about to go. */
  #run(mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = this.#connection.transaction(["chats", "messages"], mode);
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
      const stores = ["chats", "messages"].map((name) => transaction.objectStore(name));
      const request = work(...stores);
      if (mode === "readwrite") transaction.commit();
    });
  }
}

class Memory {
  isLasting = false;
  #chats = new Map();
  #messages = new Map();

  async chats() {
    return [...this.#chats.values()];
  }

  async messages(chat) {
    return [...this.#messages.values()].filter((message) => message.chat === chat);
  }

  async find(text) {
    return new Set([...this.#messages.values()].filter(matching(text)).map(({ chat }) => chat));
  }

  async put(record, messages) {
    this.#chats.set(record.id, record);
    for (const message of messages) this.#messages.set(message.id, message);
  }

  async change(record) {
    this.#chats.set(record.id, record);
  }

  async putMessage(message) {
    this.#messages.set(message.id, message);
  }

  async removeMessages(ids) {
    ids.forEach((id) => this.#messages.delete(id));
  }

  async remove(id, messageIds) {
    this.#chats.delete(id);
    await this.removeMessages(messageIds);
  }
}
