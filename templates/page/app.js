/** The chat page: connects the chats, the server and what is on the screen. */

import { Chat, contentOf, newRecord } from "./chat.js";
import { ChatMenu } from "./chat_menu.js";
import { Composer } from "./composer.js";
import { DraftSize } from "./draft_size.js";
import { Drawer } from "./drawer.js";
import { serverFacts } from "./facts.js";
import { Follower } from "./follow.js";
import { Health } from "./health.js";
import { isKeptByServer, Library } from "./library.js";
import { Meter } from "./meter.js";
import { offerQuit } from "./quit.js";
import { Settings } from "./settings.js";
import { Shelf } from "./shelf.js";
import { connectShortcuts } from "./shortcuts.js";
import { Thread } from "./thread.js";
import { say } from "./toast.js";
import { t } from "./words.js";
import { Writer } from "./writer.js";

const find = (id) => document.getElementById(id);
const appTitle = document.title;

const settings = new Settings(find("settings"));
const library = new Library(onLibraryChange, onTrouble);
const menu = new ChatMenu(library, () => shelf, (id) => writer.stop(id));
const shelf = new Shelf(find("chats"), find("search"), library, (id, from) => menu.open(id, from));
const drawer = new Drawer({
  side: find("side"),
  column: find("column"),
  opener: find("show-side"),
  closer: find("hide-side"),
});
const thread = new Thread(find("thread"), {
  edit: whenFree((message, text) => ask(chat.parent(message), text, message.attachments)),
  again: whenFree((message) => write(chat.addAnswer(chat.parent(message)))),
  continue: whenFree(write),
  show: whenFree((message) => {
    chat.show(message);
    library.change(chat.record, { leaf: chat.record.leaf });
    show();
  }),
  remove: whenFree(remove),
});
const composer = new Composer(find("composer"), {
  send: (text, attachments) => ask(chat?.path.at(-1), text, attachments),
  stop: () => chat && writer.stop(chat.id),
  editLast: () => thread.lastQuestion?.edit() ?? false,
  change: countDraft,
});
const meter = new Meter(find("meter"));
const draftSize = new DraftSize((tokens) => meter.show(tokens));
const follower = new Follower(document.querySelector("main"), find("latest"));
const writer = new Writer(library, settings, { onChunk, onEnd });
let health = null; // begins when the chats are there
const stale = new Set(); // the ids of chats that other tabs changed while an answer was written
let chat = null; // the one that is read; null before its first question

/** Makes an action that does nothing while this chat's answer is written or none can be. */
function whenFree(action) {
  return (...values) => {
    if (health?.state === "ready" && !writer.isWriting(chat.id)) action(...values);
  };
}

function ask(parent, text, attachments) {
  if (!chat) {
    chat = new Chat(newRecord(settings.defaults));
    history.pushState(null, "", `#${chat.id}`);
  }
  write(chat.addAnswer(chat.addQuestion(parent, text, attachments)));
}

function write(answer) {
  find("announcer").textContent = "";
  writer.write(chat, answer);
  show();
  follower.follow();
}

/** Shows how full the context will be with what is being written. */
function countDraft() {
  // Looking at images to count them would take the model's time.
  const attachments = composer.attachments.filter(({ kind }) => kind === "text");
  const content = contentOf({ text: composer.text, attachments });
  const messages = () => [...(chat?.before() ?? []), { role: "user", content }];
  showMeter();
  draftSize.count(messages, content.length, settings.key);
}

function showMeter() {
  meter.show(chat?.path.findLast(({ used }) => used)?.used ?? 0);
}

function onChunk(answer) {
  thread.view(answer)?.update();
}

function onEnd(ended, answer, error) {
  if (error?.code === 401) settings.revealKey();
  else if (error) health.check();
  if (ended !== chat) return;
  if (!library.has(chat.id)) {
    startNew();
    return;
  }
  const view = thread.view(answer);
  view?.finish();
  find("announcer").textContent = view?.spoken ?? "";
  if (stale.delete(chat.id)) readAgain(chat.id);
  else showControls();
}

function remove(message) {
  const owner = chat;
  const { leaf } = owner.record;
  const removed = owner.remove(message);
  library.removeMessages(owner, removed);
  show();
  say(t("message_deleted"), () => {
    owner.restore(removed, leaf);
    library.putMessages(owner, ...removed);
    if (owner === chat) show();
  });
}

/** Shows the chat as it is now. */
function show() {
  if (chat) thread.show(chat);
  else thread.clear();
  const last = chat?.path.at(-1);
  if (last && writer.isWriting(chat.id)) thread.view(last).start();
  showControls();
}

function showControls() {
  const title = chat?.record.title;
  find("title").textContent = title || appTitle;
  find("title").classList.toggle("model", !title);
  document.title = title ? `${title} · ${appTitle}` : appTitle;
  find("welcome").hidden = Boolean(chat?.path.length);
  find("new").disabled = !chat;
  showMeter();
  composer.set({
    isReady: health?.state === "ready",
    isWriting: Boolean(chat && writer.isWriting(chat.id)),
  });
  if (shelf.current !== chat?.id) {
    shelf.current = chat?.id;
    shelf.show();
  }
}

/** Opens the chat that the address names. */
async function openAddressed() {
  const id = location.hash.slice(1);
  if (id === (chat?.id ?? "")) return;
  const opened = id ? await library.open(id) : null;
  if (id !== location.hash.slice(1)) return; // another one was asked for meanwhile
  if (id && !opened) history.replaceState(null, "", location.pathname);
  chat = opened;
  thread.clear();
  show();
  follower.follow();
  drawer.leave();
  composer.focus();
}

function startNew() {
  history.pushState(null, "", location.pathname);
  openAddressed();
}

/** `id` names a chat that another tab changed. */
async function onLibraryChange(id) {
  shelf.show();
  if (id && !library.has(id)) writer.stop(id);
  const kept = chat && library.record(chat.id);
  if (kept) chat.record.title = kept.title;
  if (chat && !kept && !writer.isWriting(chat.id)) startNew();
  else if (chat && id === chat.id) readAgain(id);
  else showControls();
}

/**
 * Takes in what another tab did to the chat that is read, but for where that tab reads; not while
 * an answer is written.
 */
async function readAgain(id) {
  const opened = await library.open(id);
  if (chat?.id !== id) return;
  if (writer.isWriting(id)) {
    stale.add(id);
    return;
  }
  opened.record.leaf = chat.record.leaf;
  chat = opened;
  show();
}

function onHealth(state, detail) {
  const words = { loading: t("loading"), away: t("away") }[state] ?? "";
  find("status").textContent = [words, detail].filter(Boolean).join(" · ");
  find("status").dataset.state = state;
  showControls();
  if (state !== "ready") return;
  if (document.activeElement === document.body) composer.focus();
  learnFacts();
}

function onTrouble(error) {
  if (error?.code === 401) {
    settings.revealKey();
    say(t("key_wanted"));
  } else {
    say(t(isKeptByServer ? "history_away" : "not_kept"));
  }
}

async function learnFacts() {
  if (meter.limit) return;
  const facts = await serverFacts(settings.key);
  if (!facts) return;
  meter.limit = facts.n_ctx;
  composer.canSee = facts.canSee;
  settings.hint(facts.params);
  showControls();
}

find("new").addEventListener("click", startNew);
find("adjust").addEventListener("click", () =>
  settings.open(chat, (values) => library.change(chat.record, { settings: values })),
);
offerQuit(find("quit"), () => settings.key, say);
addEventListener("hashchange", openAddressed);
// With a key, now.
find("settings").addEventListener("close", async () => {
  learnFacts();
  if (library.isRead) return;
  await library.load();
  shelf.show();
});
for (const button of document.querySelectorAll("#examples button")) {
  button.addEventListener("click", () => composer.fill(button.textContent));
}
find("language").addEventListener("change", ({ target: { value } }) => {
  document.cookie = `language=${value}; path=/; max-age=31536000; samesite=strict`;
  location.reload();
});
connectShortcuts({ startNew, drawer, openSettings: () => find("adjust").click() });

const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
if (!isLoopback) find("place").textContent = t("runs_there", { host: location.hostname });

await library.load();
await openAddressed();
show();
health = new Health(onHealth);
