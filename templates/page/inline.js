/** What stands within a line of Markdown, built from DOM nodes only. */

import { mathNode } from "./math.js";

const MAX_NESTING = 4;

/**
 * An escape, a link, a formula, or a mark where it may open a span: not before a space, `*` and `_`
 * not in a word. Bounds keep the time to search short, whatever the text.
 */
const MARK = new RegExp(
  [
    /(?<link>\[(?<label>[^[\]\n]{1,300})\]\((?<target>https?:\/\/[^\s()<>]{1,1500})\))/,
    /(?<![\p{L}\p{N}])(?<address>https?:\/\/[^\s<>"`*|]{1,1500})/u,
    /(?<formula>\$\$[^$]{1,1500}\$\$|\$(?=[^\s$])[^$\n]{0,300}?(?<![\s\\])\$(?!\d))/,
    /\\[!-/:-@[-`{-~]|`+/,
    /~~(?=\S)|\*\*(?=\S)|(?<![\w)*])\*(?=[^\s*])/,
    /(?<![\p{L}\p{N}_])(?:__(?=\S)|_(?=[^\s_]))/u,
  ]
    .map((part) => part.source)
    .join("|"),
  "gu",
);
const CLOSE = {
  "\\(": /\\\)/g,
  "\\[": /\\\]/g,
  "~~": /(?<=\S)~~/g,
  "**": /(?<=\S)\*\*(?!\*)/g,
  "*": /(?<=[^\s*])\*(?!\*)/g,
  __: /(?<=\S)__(?![\p{L}\p{N}_])/gu,
  _: /(?<=[^\s_])_(?![\p{L}\p{N}_])/gu,
};
const SPANS = { "~~": "del", "**": "strong", __: "strong", "*": "em", _: "em" };

/** Builds the nodes of one run of text; an unclosed mark holds to the end while it is growing. */
export function inline(source, isGrowing, depth = 0) {
  if (depth > MAX_NESTING) return [source];
  const nodes = [];
  const unclosed = new Set(); // a mark that was not closed from here is not closed from later on
  const marks = new RegExp(MARK);
  let start = 0;
  for (let match; (match = marks.exec(source)); ) {
    const [mark] = match;
    const whole = wholeNode(match.groups);
    if (whole) {
      nodes.push(source.slice(start, match.index), whole.node);
      start = marks.lastIndex = match.index + whole.length;
      continue;
    }
    const inside = marks.lastIndex;
    const isEscape = mark[0] === "\\";
    let end = isEscape && !CLOSE[mark] ? -1 : unclosed.has(mark) ? -1 : findClose(source, inside, mark);
    const isOpenEnded = end < 0;
    if (isOpenEnded) {
      const mayGrow = isGrowing && !unclosed.has(mark) && mark !== "*" && mark !== "_";
      unclosed.add(mark);
      if (isEscape && !(mayGrow && CLOSE[mark])) {
        nodes.push(source.slice(start, match.index));
        start = match.index + 1;
        continue;
      }
      if (!mayGrow) continue;
      end = source.length;
    }
    const text = source.slice(inside, end);
    nodes.push(source.slice(start, match.index), span(mark, text, isOpenEnded, depth));
    start = marks.lastIndex = end + (isOpenEnded ? 0 : mark.length);
  }
  nodes.push(source.slice(start));
  return nodes.filter(Boolean);
}

/** The part of a growing text that can be drawn: a mark at its end may be half of one. */
export function withoutLastMark(source) {
  let end = source.length;
  while (end && "*_`\\~".includes(source[end - 1])) end -= 1;
  return source.slice(0, end);
}

/** The node of a mark that was found with its end, and how long it is in the text. */
function wholeNode({ link, label, target, address, formula }) {
  if (link) return { node: anchor(target, label), length: link.length };
  if (address) {
    const trimmed = address.replace(/[.,;:!?'")\]}]+$/, "");
    return { node: anchor(trimmed, trimmed), length: trimmed.length };
  }
  if (!formula) return null;
  const text = formula.replace(/^\$+|\$+$/g, "");
  return { node: mathNode(text), length: formula.length };
}

function anchor(target, label) {
  const node = element("a", label);
  node.href = target;
  node.title = target;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

function span(mark, text, isOpenEnded, depth) {
  if (mark[0] === "`") return codeSpan(text);
  if (mark[0] === "\\") return mathNode(text);
  return element(SPANS[mark], ...inline(text, isOpenEnded, depth + 1));
}

function codeSpan(text) {
  const isPadded = text.startsWith(" ") && text.endsWith(" ") && text.trim();
  return element("code", isPadded ? text.slice(1, -1) : text);
}

function findClose(source, from, mark) {
  const close = CLOSE[mark] ?? /`+/g; // as many backticks as opened
  close.lastIndex = from + 1;
  let match = close.exec(source);
  while (match && mark[0] === "`" && match[0] !== mark) match = close.exec(source);
  return match?.index ?? -1;
}

export function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}
