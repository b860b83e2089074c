/** Gives the samples of code on a page their colours and their copy buttons. */

import { makeCode } from "./code.js";

for (const sample of document.querySelectorAll("pre[data-language]")) {
  const code = makeCode(sample.dataset.language);
  code.append(sample.textContent);
  code.end();
  sample.replaceWith(code.node);
}
