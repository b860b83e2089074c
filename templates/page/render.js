/**
 * Draws an answer while it streams: a small part of Markdown, built from DOM nodes only, so no
 * text of the model is ever read as HTML. Blocks that are complete are never touched again.
 */

import { element, inline, withoutLastMark } from "./inline.js";
import { beginsTable, TableBlock } from "./table.js";

const FENCE = /^(\s*)(`{3,}|~{3,})([^`]*)$/;
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const HEADING = /^(\s*)(#{1,6})\s+(.*)$/;
const QUOTE = /^\s*>\s?(.*)$/;
const ITEM = /^(\s*)([-*+]|(\d{1,3})[.)])(?:\s+(.*)|)$/;

/** The start of a line that more text may still turn into something other than a paragraph. */
const UNDECIDED =
  /^\s*(?:`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*|#{1,6}\s*|([-*_])(?:\s*\1)*\s*|\+\s*|\d{1,3}(?:[.)]\s*)?|>\s*|[|:-][\s|:-]*)?$/;
const MAX_UNDECIDED = 200;
/** Draws text that arrives in pieces: `append` pieces, `draw` once a frame, `end` at the end. */
export class Renderer {
  #root;
  #makeCode;
  #head = ""; // the start of a line, while it is undecided
  #isLineOpen = false;
  #text = null; // the paragraph, heading or item that lines are added to
  #code = null;
  #quote = null; // the quotation that lines may go on
  #lists = []; // from the outermost to the innermost open list

  /**
   * `makeCode(language)` returns `{ node, append, end }`: a code block, what adds text to it, and
   * what tells it that this was all.
   */
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
    this.#code?.end();
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
    const table = this.#text instanceof TableBlock ? this.#text : null;
    if (this.#code && isWhole && this.#code.closes(line)) this.#closeCode();
    else if (this.#code) this.#code.startLine(line);
    else if (isWhole && !line.trim()) this.#closeText();
    else if (isWhole && (match = FENCE.exec(line))) this.#openCode(match);
    else if (table?.takes(line)) table.startRow(line);
    else if (isWhole && this.#headsTable(line)) this.#openTable(line);
    else if (isWhole && RULE.test(line)) this.#place(element("hr"), 0);
    else if ((match = HEADING.exec(line))) this.#openHeading(match);
    else if ((match = ITEM.exec(line))) this.#openItem(match);
    else if ((match = QUOTE.exec(line))) this.#addToQuote(match[1]);
    else if (this.#text?.isOpen && !table) this.#text.source += "\n" + line.trimStart();
    else this.#openText(element("p"), line.trimStart(), columns(line));
  }

  #headsTable(line) {
    return this.#text?.isOpen && beginsTable(this.#text.source, line);
  }

  #openTable(delimiters) {
    const table = new TableBlock(this.#text.source, delimiters);
    this.#text.node.replaceWith(table.node);
    this.#text = table;
  }

  #addToQuote(text) {
    const isGoingOn = this.#quote && this.#quote === this.#innermost().lastElementChild;
    if (isGoingOn && this.#text && text) {
      this.#text.source += `\n${text}`;
      return;
    }
    this.#closeText();
    if (!isGoingOn) {
      this.#quote = element("blockquote");
      this.#innermost().append(this.#quote);
    }
    if (!text) return;
    const node = element("p");
    this.#quote.append(node);
    this.#text = new TextBlock(node, text);
  }

  #openCode([, indent, fence, info]) {
    const code = this.#makeCode(info.trim().split(/\s/)[0]);
    this.#place(code.node, columns(indent));
    this.#code = new CodeBlock(code, fence, indent.length);
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
    this.#code.end();
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
  #drawn = null;
  isOpen = true;

  constructor(node, source) {
    this.node = node;
    this.source = source;
  }

  draw(isGrowing) {
    // A mark at the very end may be half of one; it shows when the next text decides.
    const source = isGrowing ? withoutLastMark(this.source) : this.source.trimEnd();
    const drawn = `${isGrowing}${source}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.node.dir = ""; // or the browser would look for the direction at every child
    this.node.replaceChildren(...inline(source, isGrowing));
    this.node.dir = "auto";
  }
}

/** A fenced block: text is only ever added to it. */
class CodeBlock {
  #code;
  #fence;
  #indent;
  #isFirstLine = true;
  source = ""; // what is not drawn yet

  constructor(code, fence, indent) {
    this.#code = code;
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
    if (this.source) this.#code.append(this.source);
    this.source = "";
  }

  end() {
    this.draw();
    this.#code.end();
  }
}

function columns(line) {
  const indent = /^\s*/.exec(line)[0];
  return indent.replaceAll("\t", "    ").length;
}
