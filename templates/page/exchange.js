/** Chats as files: JSON that holds all of a chat, and Markdown for people. */

import { emptyAnswer, newId, newRecord } from "./chat.js";
import { validSettings } from "./settings.js";

const FORMAT = "solofile-chats";
const MARK = /^<!-- solofile: (user|assistant) -->$/m;
const ESCAPED = /^\\(?=\\*<!-- solofile: )/gm;
const TO_ESCAPE = /^(?=\\*<!-- solofile: )/gm;

/** Returns JSON with chats, each given as `{ record, messages }`. */
export function toJSON(chats) {
  const entries = chats.map(({ record, messages }) => ({ ...record, messages }));
  return JSON.stringify({ format: FORMAT, version: 1, chats: entries }, null, 1);
}

/** Returns the messages of one path through a chat, with marks that `parse` finds again. */
export function toMarkdown(title, path, names) {
  const parts = path.map(({ role, text, attachments = [] }) => {
    const files = attachments.map(({ name, kind, data }) =>
      kind === "text" ? `*${name}*\n\n${indented(data)}\n\n` : `*${name}*\n\n`,
    );
    const body = (files.join("") + text).replace(TO_ESCAPE, "\\");
    return `<!-- solofile: ${role} -->\n**${names[role]}**\n\n${body}\n`;
  });
  return `# ${title}\n\n${parts.join("\n")}`;
}

/**
 * Returns the chats that a file of either kind holds, each as `{ record, messages }`.
 * Throws an Error for anything else.
 */
export function parse(text) {
  return /^\s*\{/.test(text) ? parseJSON(text) : [parseMarkdown(text)];
}

function parseJSON(text) {
  const { format, chats } = JSON.parse(text);
  if (format !== FORMAT || !Array.isArray(chats)) throw new Error("not made by a solofile");
  return chats.map(parseChat);
}

function parseChat({ id, title, created, updated, leaf, settings, messages }) {
  const record = {
    ...newRecord(validSettings(settings)),
    id: checkedText(id),
    title: checkedText(title),
    created: checkedTime(created),
    updated: checkedTime(updated),
    leaf: leaf === null ? null : checkedText(leaf),
  };
  const seen = new Set([null]);
  const checked = messages.map((message) => {
    // A parent that comes first cannot be a descendant, so no path goes in circles.
    const parent = seen.has(message.parent) ? message.parent : null;
    seen.add(checkedText(message.id));
    return { ...checkedMessage(message), id: message.id, parent, chat: record.id };
  });
  return { record, messages: checked };
}

function checkedMessage({ role, text, at, attachments, thinking, calls, finish, problem, ...more }) {
  const shared = { role, text: checkedText(text), at: checkedTime(at) };
  if (role === "user") return { ...shared, attachments: (attachments ?? []).map(checkedFile) };
  if (role !== "assistant") throw new Error("a message of nobody");
  return {
    ...emptyAnswer(),
    ...shared,
    thinking: String(thinking ?? ""),
    calls: (calls ?? []).map((call) => ({ name: `${call.name}`, arguments: `${call.arguments}` })),
    finish: String(finish ?? ""),
    problem: String(problem ?? ""),
    timings: checkedTimings(more.timings),
    used: Number(more.used) || 0,
  };
}

function checkedFile({ name, kind, data }) {
  const isImage = kind === "image" && /^data:image\/(png|jpeg);base64,[\w+/=]*$/.test(data);
  if (!isImage && kind !== "text") throw new Error("an attachment of an unknown kind");
  return { name: checkedText(name), kind, data: checkedText(data) };
}

function checkedTimings(timings) {
  const { predicted_n, predicted_per_second } = timings ?? {};
  const isSound = Number.isFinite(predicted_n) && Number.isFinite(predicted_per_second);
  return isSound ? { predicted_n, predicted_per_second } : null;
}

function checkedText(value) {
  if (typeof value !== "string") throw new Error("a text is missing");
  return value;
}

function checkedTime(value) {
  if (!Number.isFinite(value)) throw new Error("a time is missing");
  return value;
}

function parseMarkdown(text) {
  const [head, ...rest] = text.replaceAll("\r\n", "\n").split(MARK);
  if (!rest.length) throw new Error("no message in it");
  const record = newRecord();
  record.title = /^# (.*)$/m.exec(head)?.[1].trim() || "Markdown";
  const messages = [];
  for (let index = 0; index < rest.length; index += 2) {
    const body = rest[index + 1].replace(/^\n\*\*.*\*\*\n/, "").trim().replace(ESCAPED, "");
    const shared = { id: newId(), chat: record.id, parent: record.leaf, at: Date.now() + index };
    const isQuestion = rest[index] === "user";
    const facts = isQuestion ? { attachments: [] } : { ...emptyAnswer(), finish: "stop" };
    messages.push({ ...shared, role: rest[index], ...facts, text: body });
    record.leaf = shared.id;
  }
  return { record, messages };
}

function indented(text) {
  return text.replace(/^/gm, "    ");
}
