/** The page's words in the language that the server chose, and numbers as it writes them. */

const texts = JSON.parse(document.querySelector("#texts").textContent);
const numbers = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });

/** Returns the text under `key`, with `{name}` replaced by the values given. */
export function t(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function formatNumber(value) {
  return numbers.format(value);
}
