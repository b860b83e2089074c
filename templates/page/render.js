/**
 * Draws an answer while it streams: a small part of Markdown, built from DOM nodes only, so no
 * text of the model is ever read as HTML. Blocks that are complete are never touched again.
 */

const FENCE = /^(\s*)(`{3,}|~{3,})([^`]*)$/;
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const HEADING = /^(\s*)(#{1,6})\s+(.*)$/;
const ITEM = /^(\s*)([-*+]|(\d{1,3})[.)])(?:\s+(.*)|)$/;

/** The start of a line that more text may still turn into a fence, a rule, a heading or an item. */
const UNDECIDED =
  /^\s*(?:`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*|#{1,6}\s*|([-*_])(?:\s*\1)*\s*|\+\s*|\d{1,3}(?:[.)]\s*)?)?$/;
const MAX_UNDECIDED = 200;
const MAX_NESTING = 4;

/** An escape, or a mark where it may open a span: not before a space, `*` and `_` not in a word. */
const MARK = new RegExp(
  [
    /\\[!-/:-@[-`{-~]|`+/,
    /\*\*(?=\S)|(?<![\w)*])\*(?=[^\s*])/,
    /(?<![\p{L}\p{N}_])(?:__(?=\S)|_(?=[^\s_]))/u,
  ]
    .map((part) => part.source)
    .join("|"),
  "gu",
);
const CLOSE = {
  "**": /(?<=\S)\*\*(?!\*)/g,
  "*": /(?<=[^\s*])\*(?!\*)/g,
  __: /(?<=\S)__(?![\p{L}\p{N}_])/gu,
  _: /(?<=[^\s_])_(?![\p{L}\p{N}_])/gu,
};

/** Draws text that arrives in pieces: `append` pieces, `draw` once a frame, `end` at the end. */
export class Renderer {
  #root;
  #makeCode;
  #head = ""; // the start of a line, while it is undecided
  #isLineOpen = false;
  #text = null; // the paragraph, heading or item that lines are added to
  #code = null;
  #lists = []; // from the outermost to the innermost open list

  /** `makeCode(language)` returns `{ node, target }`: a code block, and what its text goes into. */
  constructor(root, makeCode) {
    this.#root = root;
    this.#makeCode = makeCode;
  }

  append(text) {
    text.replaceAll("\r", "").split("\n").forEach((piece, index) => {
      if (index) this.#endLine();
      if (piece) this.#addToLine(piece);
    });
  }

  draw() {
    this.#code?.draw();
    this.#text?.draw(true);
  }

  end() {
    if (this.#head) this.#endLine();
    this.#closeText();
    this.#code?.draw();
  }

  #addToLine(piece) {
    if (this.#isLineOpen) {
      (this.#code ?? this.#text).source += piece;
      return;
    }
    this.#head += piece;
    if (this.#head.length < MAX_UNDECIDED && this.#isUndecided()) return;
    this.#startLine(this.#head);
    this.#isLineOpen = true;
  }

  #isUndecided() {
    return this.#code ? this.#code.mayClose(this.#head) : UNDECIDED.test(this.#head);
  }

  #endLine() {
    if (!this.#isLineOpen) this.#startLine(this.#head, true);
    this.#head = "";
    this.#isLineOpen = false;
  }

  #startLine(line, isWhole = false) {
    let match;
    if (this.#code && isWhole && this.#code.closes(line)) this.#closeCode();
    else if (this.#code) this.#code.startLine(line);
    else if (isWhole && !line.trim()) this.#closeText();
    else if (isWhole && (match = FENCE.exec(line))) this.#openCode(match);
    else if (isWhole && RULE.test(line)) this.#place(element("hr"), 0);
    else if ((match = HEADING.exec(line))) this.#openHeading(match);
    else if ((match = ITEM.exec(line))) this.#openItem(match);
    else if (this.#text?.isOpen) this.#text.source += "\n" + line.trimStart();
    else this.#openText(element("p"), line.trimStart(), columns(line));
  }

  #openCode([, indent, fence, info]) {
    const { node, target } = this.#makeCode(info.trim().split(/\s/)[0]);
    this.#place(node, columns(indent));
    this.#code = new CodeBlock(target, fence, indent.length);
  }

  #openHeading([, indent, marks, text]) {
    const level = Math.min(marks.length + 2, 6); // h1 is the page's and h2 the turn's
    this.#openText(element(`h${level}`), text, columns(indent));
    this.#text.isOpen = false;
  }

  #openItem([, indent, , number, text = ""]) {
    this.#closeText();
    const column = columns(indent);
    const name = number ? "ol" : "ul";
    while (this.#lists.length && column < this.#lists.at(-1).column - 1) this.#lists.pop();
    let list = this.#lists.at(-1);
    const isNested = list && column >= list.column + 2;
    if (!list || isNested || list.node.localName !== name) {
      if (list && !isNested) this.#lists.pop();
      list = { node: element(name), column, item: null };
      if (number) list.node.start = Number(number);
      this.#innermost().append(list.node);
      this.#lists.push(list);
    }
    list.item = element("li");
    list.node.append(list.item);
    this.#openText(element("p"), text, list.column + 2);
  }

  #openText(node, source, column) {
    this.#place(node, column);
    this.#text = new TextBlock(node, source);
  }

  #closeCode() {
    this.#code.draw();
    this.#code = null;
  }

  #closeText() {
    this.#text?.draw(false);
    this.#text = null;
  }

  /** Puts a block where its indentation says: into an open list item, or behind all lists. */
  #place(node, column) {
    this.#closeText();
    while (this.#lists.length && column < this.#lists.at(-1).column + 2) this.#lists.pop();
    this.#innermost().append(node);
  }

  #innermost() {
    return this.#lists.at(-1)?.item ?? this.#root;
  }
}

/** A paragraph, heading or list item: drawn anew while it grows. */
class TextBlock {
  #node;
  #drawn = null;
  isOpen = true;

  constructor(node, source) {
    this.#node = node;
    this.source = source;
  }

  draw(isGrowing) {
    // A mark at the very end may be half of one; it shows when the next text decides.
    const source = isGrowing ? withoutLastMark(this.source) : this.source.trimEnd();
    const drawn = `${isGrowing}${source}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#node.dir = ""; // or the browser would look for the direction at every child
    this.#node.replaceChildren(...inline(source, isGrowing));
    this.#node.dir = "auto";
  }
}

/** A fenced block: text is only ever added to it. */
class CodeBlock {
  #node = new Text();
  #fence;
  #indent;
  #isFirstLine = true;
  source = ""; // what is not drawn yet

  constructor(target, fence, indent) {
    target.append(this.#node);
    this.#fence = fence;
    this.#indent = indent;
  }

  mayClose(line) {
    const text = line.trim();
    return text === this.#fence[0].repeat(text.length);
  }

  closes(line) {
    return this.mayClose(line) && line.trim().length >= this.#fence.length;
  }

  startLine(line) {
    const indent = Math.min(this.#indent, line.length - line.trimStart().length);
    this.source += (this.#isFirstLine ? "" : "\n") + line.slice(indent);
    this.#isFirstLine = false;
  }

  draw() {
    if (this.source) this.#node.appendData(this.source);
    this.source = "";
  }
}

/** Builds the nodes of one run of text; an unclosed mark holds to the end while it is growing. */
function inline(source, isGrowing, depth = 0) {
  if (depth > MAX_NESTING) return [source];
  const nodes = [];
  const unclosed = new Set(); // a mark that was not closed from here is not closed from later on
  const marks = new RegExp(MARK);
  let start = 0;
  for (let match; (match = marks.exec(source)); ) {
    const [mark] = match;
    const inside = marks.lastIndex;
    if (mark[0] === "\\") {
      nodes.push(source.slice(start, match.index));
      start = match.index + 1;
      continue;
    }
    if (unclosed.has(mark)) continue;
    let end = findClose(source, inside, mark);
    const isOpenEnded = end < 0;
    if (isOpenEnded) {
      unclosed.add(mark);
      if (!isGrowing || mark === "*" || mark === "_") continue;
      end = source.length;
    }
    const text = source.slice(inside, end);
    const span = mark[0] === "`" ? codeSpan(text) : element(mark[1] ? "strong" : "em");
    if (mark[0] !== "`") span.append(...inline(text, isOpenEnded, depth + 1));
    nodes.push(source.slice(start, match.index), span);
    start = marks.lastIndex = end + (isOpenEnded ? 0 : mark.length);
  }
  nodes.push(source.slice(start));
  return nodes.filter(Boolean);
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

function withoutLastMark(source) {
  let end = source.length;
  while (end && "*_`\\".includes(source[end - 1])) end -= 1;
  return source.slice(0, end);
}

function columns(line) {
  const indent = /^\s*/.exec(line)[0];
  return indent.replaceAll("\t", "    ").length;
}

function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}
