/** A table of Markdown, whose rows grow while they arrive. */

import { element, inline } from "./inline.js";
import { t } from "./words.js";

const DELIMITERS = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Tells whether `line` under `head` makes a table of both. */
export function beginsTable(head, line) {
  const isHead = head.includes("|") && !head.includes("\n") && line.includes("|");
  return isHead && DELIMITERS.test(line) && cells(head).length === cells(line).length;
}

export class TableBlock {
  #body = element("tbody");
  #alignments;
  #row = null;
  #drawn = "";
  #hasEdges;
  isOpen = true;
  source = ""; // of the row that grows

  constructor(head, delimiters) {
    this.#hasEdges = head.trimStart().startsWith("|");
    this.#alignments = cells(delimiters).map(alignment);
    const row = element("tr");
    this.#fill(row, "th", head);
    this.node = element("div", element("table", element("thead", row), this.#body));
    this.node.className = "table";
    this.node.tabIndex = 0; // it may be wider than the page
    this.node.role = "group";
    this.node.ariaLabel = t("table");
  }

  /** Tells whether a line that begins like this is a row. */
  takes(line) {
    return this.#hasEdges ? line.trimStart().startsWith("|") : true;
  }

  startRow(line) {
    this.draw();
    this.source = line;
    this.#drawn = "";
    this.#row = element("tr");
    this.#body.append(this.#row);
  }

  draw() {
    if (!this.#row || this.source === this.#drawn) return;
    this.#drawn = this.source;
    this.#row.replaceChildren();
    this.#fill(this.#row, "td", this.source);
  }

  #fill(row, name, line) {
    const texts = cells(line);
    this.#alignments.forEach((align, index) => {
      const cell = element(name, ...inline(texts[index] ?? "", false));
      cell.dir = "auto";
      if (align) cell.className = align;
      row.append(cell);
    });
  }
}

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.replaceAll("\\|", "|").trim());
}

function alignment(delimiter) {
  if (!delimiter.endsWith(":")) return "";
  return delimiter.startsWith(":") ? "center" : "end";
}
