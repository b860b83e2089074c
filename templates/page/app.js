/** The chat page: connects the conversation, the server and what is on the screen. */

import { addChunk, clearAnswer, Conversation, newTurn } from "./conversation.js";
import { Follower } from "./follow.js";
import { Health } from "./health.js";
import { offerQuit } from "./quit.js";
import { Settings } from "./settings.js";
import { complete, ServerError } from "./stream.js";
import { TurnView } from "./turn.js";

const find = (id) => document.getElementById(id);
const input = find("input");
const status = find("status");

const STATUS = {
  loading: "Loading the model",
  ready: "",
  away: "The solofile does not answer. Start it again, and this page will find it.",
};

const conversation = new Conversation();
const settings = new Settings(find("settings"));
const follower = new Follower(document.querySelector("main"), find("latest"));
const health = new Health(showHealth);
let running = null; // the AbortController of the answer that is being written

function showHealth(state, detail) {
  status.textContent = state === "loading" && detail ? `${STATUS.loading}, ${detail}` : detail || STATUS[state];
  status.dataset.state = state;
  showControls();
  if (state === "ready" && document.activeElement === document.body) focusInput();
}

function showControls() {
  find("stop").hidden = !running;
  find("send").hidden = Boolean(running);
  find("send").disabled = health?.state !== "ready" || !input.value.trim();
  find("welcome").hidden = conversation.turns.length > 0;
  find("resume").hidden = !conversation.canResume;
  find("new").disabled = conversation.turns.length === 0;
}

function show(turn) {
  const view = new TurnView(turn, () => {
    if (running || health.state !== "ready") return;
    clearAnswer(turn);
    write(turn, view);
  });
  find("turns").append(view.node);
  return view;
}

function showAll() {
  find("turns").replaceChildren();
  for (const turn of conversation.turns) show(turn).finish();
  showControls();
  follower.follow();
  focusInput();
}

function send() {
  if (running || find("send").disabled) return;
  const turn = newTurn(input.value.trim());
  input.value = "";
  fitInput();
  conversation.add(turn);
  write(turn, show(turn));
}

/** Has the model write the answer of the last turn. */
async function write(turn, view) {
  const control = new AbortController();
  running = control;
  const request = { messages: conversation.messages(settings.system), ...settings.options };
  view.start();
  showControls();
  follower.follow();
  focusInput();
  find("announcer").textContent = "";
  conversation.save();
  try {
    for await (const chunk of complete(request, { signal: control.signal, key: settings.key })) {
      addChunk(turn, chunk);
      view.update();
    }
  } catch (error) {
    if (control.signal.aborted) turn.finish = "stopped";
    else turn.problem = explain(error);
  }
  view.finish();
  if (running !== control) return; // the chat was left meanwhile
  running = null;
  if (!conversation.save()) status.textContent = "This chat is too long for the browser to keep.";
  find("announcer").textContent = view.spoken;
  showControls();
}

function explain(error) {
  if (!(error instanceof ServerError)) {
    health.check();
    return "The connection was lost before the answer was complete.";
  }
  if (error.code !== 401) return error.message;
  settings.revealKey();
  return "This solofile asks for an access key. Enter it in the settings, then try again.";
}

function stop() {
  running?.abort();
  focusInput();
}

function leave() {
  running?.abort();
  running = null;
  conversation.save();
  conversation.clear();
  showAll();
}

/** Puts the cursor into the field, but opens no keyboard over the page of a phone. */
function focusInput() {
  if (!matchMedia("(pointer: coarse)").matches) input.focus({ preventScroll: true });
}

/** Grows the field with its text where the browser does not do that by itself. */
function fitInput() {
  if (CSS.supports("field-sizing", "content")) return;
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return; // an input method is at work
  if (event.key === "Escape") stop();
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  send();
}

input.addEventListener("keydown", onKey);
input.addEventListener("input", () => {
  fitInput();
  showControls();
});
find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
find("stop").addEventListener("click", stop);
find("new").addEventListener("click", leave);
find("adjust").addEventListener("click", () => settings.open());
offerQuit(find("quit"), () => settings.key, (reason) => (status.textContent = reason));
find("resume").addEventListener("click", () => {
  conversation.resume();
  showAll();
});
addEventListener("pagehide", () => {
  if (running) conversation.last.finish = "stopped";
  running?.abort();
  conversation.save();
});

const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
if (!isLoopback) find("place").textContent = `runs on ${location.hostname}; nothing goes further`;

showAll();
