/** A word on what was just done, with a chance to undo it. */

const SHOWN_MS = 8000;
const node = document.querySelector("#toast");
const button = node.querySelector("button");
let timer = 0;

/** Says something for a moment; `undo`, if given, is done at a press. */
export function say(text, undo = null) {
  clearTimeout(timer);
  node.hidden = false;
  node.querySelector("span").textContent = text;
  button.hidden = !undo;
  button.onclick = () => {
    node.hidden = true;
    undo();
  };
  timer = setTimeout(() => (node.hidden = !node.matches(":hover, :focus-within")), SHOWN_MS);
}
