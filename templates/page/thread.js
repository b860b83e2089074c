/** The messages of the chat that is read, one below the other. */

import { AnswerView } from "./answer.js";
import { QuestionView } from "./question.js";

export class Thread {
  #root;
  #actions;
  #views = [];

  constructor(root, actions) {
    this.#root = root;
    this.#actions = actions;
  }

  /** Shows a chat; messages of it that are shown already stay as they are. */
  show(chat) {
    const path = chat.path;
    const isSame = ({ message }, index) => message === path[index];
    const firstOther = this.#views.findIndex((view, index) => !isSame(view, index));
    const numKept = firstOther < 0 ? this.#views.length : firstOther;
    for (const view of this.#views.splice(numKept)) view.node.remove();
    for (const view of this.#views) view.refresh();
    const added = path.slice(numKept).map((message) => this.#makeView(message, chat));
    this.#views.push(...added);
    this.#root.append(...added.map(({ node }) => node));
  }

  clear() {
    for (const { node } of this.#views.splice(0)) node.remove();
  }

  /** Returns the view of a message, if it is shown. */
  view(message) {
    return this.#views.findLast((view) => view.message === message);
  }

  get lastQuestion() {
    return this.#views.findLast(({ message }) => message.role === "user");
  }

  #makeView(message, chat) {
    const View = message.role === "user" ? QuestionView : AnswerView;
    const view = new View(message, chat, this.#actions);
    if (view instanceof AnswerView) view.place();
    return view;
  }
}
