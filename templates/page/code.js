/** A block of code on the page: its language, its copy button, its text in colours. */

import { copyFrom } from "./copy.js";
import { Highlighter } from "./highlight.js";
import { t } from "./words.js";

const template = document.querySelector("#code-template");

/** Returns a block, what adds text to it, and what tells it that this was all. */
export function makeCode(language) {
  const node = template.content.cloneNode(true).firstElementChild;
  const target = node.querySelector("code");
  const highlighter = new Highlighter(target, language);
  node.querySelector(".code-bar span").textContent = language;
  node.querySelector("pre").ariaLabel = language ? t("code_in", { language }) : t("code");
  node.querySelector("button").onclick = (event) =>
    copyFrom(event.currentTarget, target.textContent);
  return { node, append: (text) => highlighter.append(text), end: () => highlighter.end() };
}
