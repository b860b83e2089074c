/** The conversation as data: turns of a question and its answer, kept over a reload. */

import { keep, recall } from "./store.js";

/** One question and what became of it. */
export function newTurn(question) {
  return { question, ...emptyAnswer() };
}

/** Forgets a turn's answer, to ask for another. */
export function clearAnswer(turn) {
  Object.assign(turn, emptyAnswer());
}

function emptyAnswer() {
  return { thinking: "", answer: "", finish: "", problem: "", timings: null };
}

/** Adds one chunk of the server's stream to a turn. */
export function addChunk(turn, chunk) {
  const choice = chunk.choices?.[0];
  turn.thinking += choice?.delta?.reasoning_content ?? "";
  turn.answer += choice?.delta?.content ?? "";
  turn.finish = choice?.finish_reason ?? turn.finish;
  turn.timings = chunk.timings ?? turn.timings;
}

/** The turns of this tab, and the last chat of any tab, which can be taken up again. */
export class Conversation {
  turns = valid(recall("session", "turns"));
  #previous = valid(recall("local", "last"));

  get last() {
    return this.turns.at(-1);
  }

  add(turn) {
    this.turns.push(turn);
  }

  /** Keeps the turns for a reload and as the last chat; false when the browser has no room. */
  save() {
    if (!this.turns.length) return true;
    return keep("session", "turns", this.turns) && keep("local", "last", this.turns);
  }

  clear() {
    this.#previous = this.turns;
    this.turns = [];
    keep("session", "turns", null);
  }

  get canResume() {
    return !this.turns.length && this.#previous.length > 0;
  }

  resume() {
    this.turns = this.#previous;
    this.save();
  }

  /** The messages that ask for the last turn's answer; turns without an answer are left out. */
  messages(system) {
    const past = this.turns.slice(0, -1).filter((turn) => turn.answer);
    return [
      ...(system ? [{ role: "system", content: system }] : []),
      ...past.flatMap((turn) => [
        { role: "user", content: turn.question },
        { role: "assistant", content: turn.answer },
      ]),
      { role: "user", content: this.last.question },
    ];
  }
}

function valid(turns) {
  if (!Array.isArray(turns)) return [];
  return turns
    .filter((turn) => typeof turn?.question === "string" && typeof turn.answer === "string")
    .map((turn) => ({ ...newTurn(""), ...turn }));
}
