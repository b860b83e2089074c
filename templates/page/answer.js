/** An answer on the page: how it grows, its facts, and what can be done with it. */

import { showBranches } from "./branches.js";
import { makeCode } from "./code.js";
import { copyFrom } from "./copy.js";
import { Renderer } from "./render.js";
import { formatNumber, t } from "./words.js";

const NEAR = "1500px";
const template = document.querySelector("#answer-template");
const views = new WeakMap();

/** Answers are drawn when they come near; until then their text stands there as it is. */
const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) views.get(target).draw();
  },
  { rootMargin: NEAR },
);

export class AnswerView {
  #chat;
  #actions;
  #renderer = null;
  #drawn = { text: 0, thinking: 0 }; // how many characters are on the page
  #frame = 0;

  /** `actions` has `again`, `continue`, `remove` and `show`, each for a message. */
  constructor(message, chat, actions) {
    this.message = message;
    this.#chat = chat;
    this.#actions = actions;
    this.node = template.content.cloneNode(true).firstElementChild;
    this.node.dataset.id = message.id;
    this.#find(".copy").onclick = (event) => copyFrom(event.currentTarget, message.text);
    this.#find(".again").onclick = () => actions.again(message);
    this.#find(".continue").onclick = () => actions.continue(message);
    this.#find(".delete").onclick = () => actions.remove(message);
    views.set(this.node, this);
  }

  /** Shows that an answer, or the rest of one, is on its way. */
  start() {
    nearby.unobserve(this.node);
    this.#reset();
    this.#find(".answer").ariaBusy = "true";
    this.#find(".after").hidden = true;
    this.#drawMore();
  }

  /** Shows what the message holds by now, at the next frame. */
  update() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#drawMore();
    });
  }

  /** Shows an answer that is finished; its Markdown is drawn when it comes near. */
  place() {
    this.#find(".text").textContent = this.message.text;
    this.#showFacts();
    nearby.observe(this.node);
  }

  /** Draws what `place` left undrawn. */
  draw() {
    nearby.unobserve(this.node);
    this.#reset();
    this.#drawMore();
    this.#renderer.end();
  }

  /** Shows the end of an answer that was on its way. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#drawMore();
    this.#renderer.end();
    this.#find(".answer").ariaBusy = "false";
    this.#showFacts();
  }

  /** Shows how many other answers stand here. */
  refresh() {
    const siblings = this.#chat.siblings(this.message);
    showBranches(this.node, this.message, siblings, this.#actions.show);
  }

  /** The answer as it reads, for a screen reader. */
  get spoken() {
    // Not innerText: what is out of view has none.
    const blocks = [...this.#find(".text").querySelectorAll("p, h3, h4, h5, h6, th, td, pre")];
    const texts = blocks.map((block) => block.textContent);
    const stopped = this.message.finish === "stopped" ? t("stopped") : "";
    return [...texts, this.message.problem, stopped].filter(Boolean).join("\n") || t("no_answer");
  }

  #reset() {
    this.#find(".text").replaceChildren();
    this.#find(".thinking p").replaceChildren();
    this.#renderer = new Renderer(this.#find(".text"), makeCode);
    this.#drawn = { text: 0, thinking: 0 };
  }

  #drawMore() {
    const { text, thinking } = this.message;
    this.#renderer.append(text.slice(this.#drawn.text));
    this.#renderer.draw();
    this.#find(".thinking p").append(thinking.slice(this.#drawn.thinking));
    this.#find(".thinking").hidden = !thinking;
    this.#drawn = { text: text.length, thinking: thinking.length };
  }

  #showFacts() {
    const { text, finish, problem, calls } = this.message;
    this.#find(".thinking").hidden = !this.message.thinking;
    this.#find(".calls").replaceChildren(...calls.filter(Boolean).map(callNode));
    this.#find(".problem").textContent = problem;
    this.#find(".problem").hidden = !problem;
    this.#find(".copy").hidden = !text;
    this.#find(".continue").hidden = !text || finish === "stop" || finish === "tool_calls";
    this.#find(".facts").textContent = facts(this.message);
    this.#find(".after").hidden = false;
    this.refresh();
  }

  #find(selector) {
    return this.node.querySelector(selector);
  }
}

function facts({ finish, timings }) {
  const parts = [];
  if (finish === "stopped") parts.push(t("stopped"));
  if (finish === "length") parts.push(t("cut"));
  if (timings?.predicted_n) parts.push(t("n_tokens", { n: formatNumber(timings.predicted_n) }));
  if (timings?.predicted_per_second > 0) {
    parts.push(t("n_per_second", { n: formatNumber(timings.predicted_per_second) }));
  }
  return parts.join(" · ");
}

/** A tool that the model called, folded, with what it was called with. */
function callNode({ name, arguments: given }) {
  const node = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = t("called", { name });
  const code = makeCode("json");
  code.append(pretty(given));
  code.end();
  node.append(summary, code.node);
  return node;
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
