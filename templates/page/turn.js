/** One turn on the page: the question, the growing answer, and what can be done with it. */

import { copyFrom } from "./copy.js";
import { Renderer } from "./render.js";

const turnTemplate = document.querySelector("#turn-template");
const codeTemplate = document.querySelector("#code-template");
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export class TurnView {
  #turn;
  #renderer;
  #drawn = { answer: 0, thinking: 0 }; // how many characters are on the page
  #frame = 0;

  constructor(turn, onAgain) {
    this.#turn = turn;
    this.node = turnTemplate.content.cloneNode(true).firstElementChild;
    this.#find(".question").textContent = turn.question;
    this.#find(".copy").addEventListener("click", (event) =>
      copyFrom(event.currentTarget, turn.answer),
    );
    this.#find(".again").addEventListener("click", onAgain);
    this.start();
  }

  /** Empties the answer and shows that one is on its way. */
  start() {
    this.#find(".text").replaceChildren();
    this.#find(".thinking p").replaceChildren();
    this.#renderer = new Renderer(this.#find(".text"), makeCode);
    this.#drawn = { answer: 0, thinking: 0 };
    this.#find(".answer").ariaBusy = "true";
    this.#find(".after").hidden = true;
    this.#draw();
  }

  /** Shows what the turn holds by now, at the next frame. */
  update() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Shows the finished answer with its facts. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#draw();
    this.#renderer.end();
    this.#find(".answer").ariaBusy = "false";
    this.#find(".copy").hidden = !this.#turn.answer;
    this.#find(".facts").textContent = facts(this.#turn);
    this.#find(".after").hidden = false;
  }

  /** The answer as it reads, for a screen reader. */
  get spoken() {
    const blocks = [...this.#find(".text").children];
    const texts = blocks.map((block) => (block.querySelector(":scope > pre") ?? block).innerText);
    const stopped = this.#turn.finish === "stopped" ? "Stopped." : "";
    return [...texts, this.#turn.problem, stopped].filter(Boolean).join("\n") || "No answer.";
  }

  #draw() {
    const { answer, thinking, problem } = this.#turn;
    this.#renderer.append(answer.slice(this.#drawn.answer));
    this.#renderer.draw();
    this.#find(".thinking p").append(thinking.slice(this.#drawn.thinking));
    this.#find(".thinking").hidden = !thinking;
    this.#find(".problem").textContent = problem;
    this.#find(".problem").hidden = !problem;
    this.#drawn = { answer: answer.length, thinking: thinking.length };
  }

  #find(selector) {
    return this.node.querySelector(selector);
  }
}

function facts({ finish, timings }) {
  const parts = [];
  if (finish === "stopped") parts.push("Stopped");
  if (finish === "length") parts.push("Reached the longest answer allowed");
  if (timings?.predicted_n) parts.push(`${number.format(timings.predicted_n)} tokens`);
  if (timings?.predicted_per_second > 0) {
    parts.push(`${number.format(timings.predicted_per_second)} tokens/s`);
  }
  return parts.join(" · ");
}

function makeCode(language) {
  const node = codeTemplate.content.cloneNode(true).firstElementChild;
  const target = node.querySelector("code");
  node.querySelector(".code-bar span").textContent = language;
  node.querySelector("pre").ariaLabel = language ? `Code in ${language}` : "Code";
  node.querySelector("button").addEventListener("click", (event) =>
    copyFrom(event.currentTarget, target.textContent),
  );
  return { node, target };
}
