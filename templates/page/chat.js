/** A chat as data: its messages form a tree, and what is read is the path to one of its leaves. */

import { t } from "./words.js";

const MAX_TITLE = 60;

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12)); // randomUUID needs HTTPS
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The facts of a chat that are kept apart from its messages. */
export function newRecord(settings = {}) {
  const now = Date.now();
  return { id: newId(), title: "", created: now, updated: now, leaf: null, settings };
}

export function emptyAnswer() {
  return { text: "", thinking: "", calls: [], finish: "", problem: "", timings: null, used: 0 };
}

/** Adds one chunk of the server's stream to an answer. */
export function addChunk(answer, chunk) {
  const choice = chunk.choices?.[0];
  answer.thinking += choice?.delta?.reasoning_content ?? "";
  answer.text += choice?.delta?.content ?? "";
  for (const call of choice?.delta?.tool_calls ?? []) addCall(answer.calls, call);
  answer.finish = choice?.finish_reason ?? answer.finish;
  answer.timings = chunk.timings ?? answer.timings;
  answer.used = chunk.usage?.total_tokens ?? answer.used;
}

function addCall(calls, { index = 0, function: called = {} }) {
  calls[index] ??= { name: "", arguments: "" };
  calls[index].name += called.name ?? "";
  calls[index].arguments += called.arguments ?? "";
}

export class Chat {
  #messages = new Map();
  #children = new Map(); // by the parent's id; of the roots by null

  constructor(record, messages = []) {
    this.record = record;
    this.add(...messages.toSorted(byAge));
  }

  get id() {
    return this.record.id;
  }

  /** All messages, each after the one that it follows. */
  get messages() {
    const messages = [...this.#siblingsAt(null)];
    for (const { id } of messages) messages.push(...(this.#children.get(id) ?? []));
    return messages;
  }

  /** The messages that are read, the oldest first. */
  get path() {
    const path = [];
    let message = this.#messages.get(this.record.leaf) ?? this.#newest(null);
    for (; message; message = this.#messages.get(message.parent)) path.push(message);
    return path.reverse();
  }

  add(...messages) {
    for (const message of messages) this.#messages.set(message.id, message);
    for (const message of messages) {
      const siblings = this.siblings(message);
      if (siblings.includes(message)) continue;
      siblings.push(message);
      if (siblings.at(-2)?.at > message.at) siblings.sort(byAge);
    }
  }

  /** Takes back what `remove` took away, with the leaf that was read before. */
  restore(messages, leaf) {
    this.add(...messages);
    this.record.leaf = leaf;
  }

  parent(message) {
    return this.#messages.get(message.parent);
  }

  addQuestion(parent, text, attachments) {
    return this.#append(parent, { role: "user", text, attachments });
  }

  addAnswer(parent) {
    return this.#append(parent, { role: "assistant", ...emptyAnswer() });
  }

  /** All messages that stand where this one does, itself among them. */
  siblings(message) {
    return this.#siblingsAt(this.#parentOf(message));
  }

  /** Makes the newest path through a message the one that is read. */
  show(message) {
    this.record.leaf = (this.#newest(message.id) ?? message).id;
  }

  /** Takes a message and all that follow it away, and returns them. */
  remove(message) {
    const siblings = this.siblings(message);
    const place = siblings.indexOf(message);
    siblings.splice(place, 1);
    const removed = [message];
    for (const { id } of removed) removed.push(...(this.#children.get(id) ?? []));
    for (const { id } of removed) {
      this.#messages.delete(id);
      this.#children.delete(id);
    }
    const next = siblings[place] ?? siblings[place - 1] ?? this.#messages.get(message.parent);
    this.record.leaf = null;
    if (next && siblings.length) this.show(next);
    else if (next) this.record.leaf = next.id;
    return removed;
  }

  /**
   * The messages before `answer`, or all where none is given, as requests carry them; questions
   * nobody answered are left out.
   */
  before(answer) {
    const path = this.path;
    const end = path.findIndex(({ id }) => id === answer?.id);
    const asked = end < 0 ? path : path.slice(0, end);
    const isUsable = ({ role, text }, next) =>
      role === "user" ? !next || isAnswered(next) : Boolean(text);
    const messages = asked.filter((message, index) => isUsable(message, asked[index + 1]));
    return messages.map((message) => ({ role: message.role, content: contentOf(message) }));
  }

  #append(parent, facts) {
    const message = { id: newId(), chat: this.id, parent: parent?.id ?? null, at: Date.now(), ...facts };
    this.add(message);
    this.record.title ||= titleOf(message);
    this.record.leaf = message.id;
    return message;
  }

  /** A message whose parent another tab deleted stands at the beginning. */
  #parentOf({ parent }) {
    return this.#messages.has(parent) ? parent : null;
  }

  #siblingsAt(parent) {
    if (!this.#children.has(parent)) this.#children.set(parent, []);
    return this.#children.get(parent);
  }

  #newest(id) {
    let message = this.#children.get(id)?.at(-1);
    for (let next = message; next; next = this.#children.get(next.id)?.at(-1)) message = next;
    return message;
  }
}

function byAge(first, second) {
  return first.at - second.at;
}

function isAnswered(answer) {
  return answer.role === "assistant" && Boolean(answer.text);
}

/** A name for a chat that begins with a question. */
function titleOf({ text, attachments = [] }) {
  const line = (text || attachments[0]?.name || t("untitled")).trim().split("\n")[0];
  if (line.length <= MAX_TITLE) return line;
  const cut = line.slice(0, MAX_TITLE);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), MAX_TITLE / 2))}…`;
}

/** What the model reads of a question, or of a draft of one: its files in front, then its text, with images as parts. */
export function contentOf({ text, attachments = [] }) {
  const files = attachments.filter(({ kind }) => kind === "text").map(fenced);
  const body = [...files, text].filter(Boolean).join("\n\n");
  const images = attachments.filter(({ kind }) => kind === "image");
  if (!images.length) return body;
  return [
    ...images.map(({ data }) => ({ type: "image_url", image_url: { url: data } })),
    { type: "text", text: body },
  ];
}

function fenced({ name, data }) {
  const longest = Math.max(2, ...[...data.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${name}:\n${fence}\n${data}\n${fence}`;
}
