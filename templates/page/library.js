/** All chats of this browser, or of a server that keeps them: kept, found again, and the same in every tab. */

import { Chat } from "./chat.js";
import { openDatabase } from "./database.js";
import { History } from "./history.js";

const { model, history } = document.documentElement.dataset;
const SCOPE = `solofile:${model}`;

/** Whether the server keeps the chats, in a file, and not this browser. */
export const isKeptByServer = history !== undefined;

function idsOf(messages) {
  return messages.map(({ id }) => id);
}

export class Library {
  isRead = false; // whether the chats that were kept are known
  #database;
  #channel = new BroadcastChannel(SCOPE);
  #records = new Map();
  #live = new Map(); // chats that are being written to, by id
  #onChange;
  #onTrouble;

  /**
   * `onChange(id)` hears of what other tabs did to a chat, and of changes here with no id;
   * `onTrouble(error)` hears that nothing more is kept.
   */
  constructor(onChange, onTrouble) {
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
    this.#channel.onmessage = async ({ data: id }) => {
      await this.#read();
      onChange(id);
    };
  }

  /** Reads what is kept; chats that began before stay, whether they are kept yet or not. */
  async load() {
    const begun = this.#records;
    this.#database = isKeptByServer ? new History() : await openDatabase(SCOPE);
    try {
      await this.#read();
      this.#records = new Map([...this.#records, ...begun]);
      this.isRead = true;
      if (!this.#database.isLasting) this.#onTrouble();
    } catch (error) {
      this.#onTrouble(error);
    }
  }

  /** The facts of all chats, the one used last first. */
  get records() {
    return [...this.#records.values()].sort((first, second) => second.updated - first.updated);
  }

  record(id) {
    return this.#records.get(id);
  }

  has(id) {
    return this.#records.has(id);
  }

  /** Returns a chat with its messages; null when it is gone. */
  async open(id) {
    if (this.#live.has(id)) return this.#live.get(id);
    const record = this.#records.get(id);
    return record ? new Chat({ ...record }, await this.#database.messages(id)) : null;
  }

  /** Keeps a chat in memory while an answer is written into it, so that opening it finds it. */
  hold(chat) {
    this.#live.set(chat.id, chat);
    this.#onChange();
  }

  release(chat) {
    this.#live.delete(chat.id);
    this.#onChange();
  }

  isLive(id) {
    return this.#live.has(id);
  }

  /** Keeps a chat with all its messages. */
  async put(record, messages) {
    this.#records.set(record.id, { ...record });
    await this.#keep(this.#database.put(record, messages), record.id);
  }

  /** Changes some facts of a chat. */
  async change(chat, changes) {
    Object.assign(chat, changes);
    if (this.has(chat.id)) await this.#keep(this.#change(chat.id, changes), chat.id);
  }

  /** Keeps messages and what they mean for their chat; one that is new comes into being. */
  async putMessages(chat, ...messages) {
    const { record } = chat;
    record.updated = Date.now();
    if (!this.has(record.id)) {
      await this.put(record, chat.messages);
      return;
    }
    const { id, leaf, updated } = record;
    const kept = messages.map((message) => this.#database.putMessage(message));
    await this.#keep(Promise.all([...kept, this.#change(id, { leaf, updated })]), id);
  }

  /** Keeps what there is of a message that is still being written, and tells no other tab. */
  keepPart(message) {
    this.#database.putMessage(message).catch(this.#onTrouble);
  }

  async removeMessages(chat, messages) {
    const { id, leaf } = chat.record;
    if (!this.has(id)) return;
    const changed = this.#change(id, { leaf });
    await this.#keep(Promise.all([changed, this.#database.removeMessages(idsOf(messages))]), id);
  }

  /** Deletes a chat, and returns what brings it back. */
  async remove(id) {
    const record = this.#records.get(id);
    const messages = await this.#database.messages(id);
    this.#records.delete(id);
    await this.#keep(this.#database.remove(id, idsOf(messages)), id);
    return () => this.put(record, messages);
  }

  /** Returns the ids of the chats whose name or messages contain a text. */
  async find(text) {
    const wanted = text.toLocaleLowerCase();
    const found = await this.#database.find(text);
    for (const { id, title } of this.records) {
      if (title.toLocaleLowerCase().includes(wanted)) found.add(id);
    }
    return found;
  }

  /** Takes in a chat from elsewhere; of one that is here already, the messages it lacks. */
  merge(record, messages) {
    return this.put(this.#records.get(record.id) ?? record, messages);
  }

  #change(id, changes) {
    const record = { ...this.#records.get(id), ...changes };
    this.#records.set(id, record);
    return this.#database.change(record, changes);
  }

  async #read() {
    this.#records = new Map((await this.#database.chats()).map((record) => [record.id, record]));
  }

  async #keep(work, id) {
    this.#onChange();
    try {
      await work;
      this.#channel.postMessage(id);
    } catch (error) {
      this.#onTrouble(error);
    }
  }
}
