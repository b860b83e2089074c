/** Colours code while it arrives: comments, strings, numbers and keywords, by families of languages. */

const MAX_OPEN = 20_000; // characters that wait for the end of a comment or string

const NUMBER = String.raw`\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)\w*`;
const WORD = String.raw`[A-Za-z_$@][\w$]*`;
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const TO_LINE_END = "[^\\n]*";

const words = (text) => new Set(text.split(" "));
const C_WORDS =
  "as async await break case catch class const continue default defer delete do else enum export " +
  "extends extern false final finally fn for from func function go goto if impl implements import in " +
  "inline instanceof interface internal let match mod mut namespace new nil null nullptr operator " +
  "override package private protected pub public return self sizeof static struct super switch " +
  "template this throw throws trait true try type typedef typeof undefined union unsafe use using " +
  "val var virtual void volatile when where while with yield int long short char float double bool " +
  "boolean string unsigned signed byte auto";
const FAMILIES = {
  c: { comments: ["//", "/*"], multiline: ["/*", "`"], words: words(C_WORDS) },
  css: { comments: ["/*"], multiline: ["/*"], words: words("@media @import @supports @keyframes !important") },
  python: {
    comments: ["#"],
    multiline: ['"""', "'''"],
    words: words(
      "and as assert async await break case class continue def del elif else except False finally " +
        "for from global if import in is lambda match None nonlocal not or pass raise return self " +
        "True try while with yield",
    ),
  },
  shell: {
    comments: ["#"],
    multiline: [],
    words: words(
      "if then else elif fi for in do done while until case esac function return local export set " +
        "unset echo cd exit source sudo alias read end def module class require begin rescue ensure " +
        "nil true false null yes no unless puts FROM RUN COPY ENV CMD WORKDIR ENTRYPOINT",
    ),
  },
  sql: {
    comments: ["--", "/*"],
    multiline: ["/*"],
    isCaseless: true,
    words: words(
      "select from where and or not in is null insert into values update set delete create table " +
        "alter drop index view join left right inner outer full on as group by order having limit " +
        "offset union all distinct case when then else end primary key foreign references default " +
        "unique check begin commit rollback with exists between like count sum avg min max",
    ),
  },
  lua: {
    comments: ["--"],
    multiline: [],
    words: words(
      "and break do else elseif end false for function goto if in local nil not or repeat return " +
        "then true until while data type class instance where let of import module case deriving",
    ),
  },
  markup: { comments: ["<!--"], multiline: ["<!--"], words: words(""), isMarkup: true },
};
const ENDS = { "/*": "*/", "`": "`", '"""': '"""', "'''": "'''", "<!--": "-->" };
const NAMES = {
  c: "c h cpp c++ cc hpp js javascript mjs jsx ts typescript tsx java kotlin kt go golang rust rs swift cs csharp c# php scala dart zig json jsonc json5 proto groovy solidity",
  css: "css scss less",
  python: "python py python3 pyi",
  shell: "sh bash zsh shell console fish yaml yml toml ini ruby rb perl pl r make makefile dockerfile cmake nix elixir julia conf properties powershell ps1",
  sql: "sql sqlite mysql postgresql plsql",
  lua: "lua haskell hs elm ada",
  markup: "html xml svg vue xhtml",
};
const familyOf = new Map(
  Object.entries(NAMES).flatMap(([family, names]) => names.split(" ").map((name) => [name, family])),
);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Adds code to `target` in pieces; a language it does not know stays plain. */
export class Highlighter {
  #target;
  #family;
  #pattern;
  #tail = new Text();
  #rest = ""; // what is shown plain until its line, comment or string is whole

  constructor(target, language) {
    this.#target = target;
    this.#family = FAMILIES[familyOf.get(language.toLowerCase())];
    this.#pattern = this.#family && patternOf(this.#family);
    target.append(this.#tail);
  }

  append(text) {
    if (!this.#family) {
      this.#tail.appendData(text);
      return;
    }
    this.#rest += text;
    this.#draw(this.#rest.lastIndexOf("\n") + 1, this.#rest.length > MAX_OPEN);
  }

  end() {
    if (this.#family) this.#draw(this.#rest.length, true);
  }

  /** Colours the first `end` characters, but not what is open at their end unless `isAll`. */
  #draw(end, isAll) {
    const nodes = [];
    const source = this.#rest.slice(0, end);
    let start = 0;
    this.#pattern.lastIndex = 0;
    for (let match; (match = this.#pattern.exec(source)); ) {
      if (!isAll && isOpen(match)) {
        end = match.index;
        break;
      }
      const kind = this.#kindOf(match);
      if (!kind) continue;
      nodes.push(source.slice(start, match.index), token(kind, match[0]));
      start = this.#pattern.lastIndex;
    }
    nodes.push(source.slice(start, end));
    this.#tail.before(...nodes.filter(Boolean));
    this.#rest = this.#rest.slice(end);
    this.#tail.data = this.#rest;
  }

  #kindOf({ groups, 0: text }) {
    if (groups.comment || groups.open === "/*" || groups.open === "<!--") return "c";
    if (groups.open || groups.quoted) return "s";
    if (groups.number) return "n";
    const word = this.#family.isCaseless ? text.toLowerCase() : text;
    return groups.tag || this.#family.words.has(word) ? "k" : "";
  }
}

/** Tells whether a comment or string of several lines has no end yet. */
function isOpen({ groups: { open }, 0: text }) {
  if (!open) return false;
  return !text.endsWith(ENDS[open]) || text.length < open.length + ENDS[open].length;
}

function patternOf({ comments, multiline, isMarkup }) {
  const opens = multiline.map((open) => `(?:${escaped(open)}[^]*?(?:${escaped(ENDS[open])}|$))`);
  const lines = comments.filter((mark) => !multiline.includes(mark)).map(escaped);
  const parts = [
    lines.length && `(?<comment>(?:${lines.join("|")})${TO_LINE_END})`,
    isMarkup ? String.raw`(?<tag></?[\w:-]+|/?>)` : "(?<tag>(?!))",
    `(?<quoted>${QUOTED})`,
    `(?<number>${NUMBER})`,
    `(?<word>${WORD})`,
  ];
  const open = opens.length ? `(?=(?<open>${multiline.map(escaped).join("|")}))(?:${opens.join("|")})` : "";
  return new RegExp([open, ...parts].filter(Boolean).join("|"), "g");
}

function token(kind, text) {
  const node = document.createElement("span");
  node.className = kind;
  node.textContent = text;
  return node;
}
