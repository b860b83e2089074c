/** Formulas in TeX, left readable: common commands as the signs they mean, the rest as it stands. */

const SIGNS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", zeta: "ζ",
  eta: "η", theta: "θ", kappa: "κ", lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ",
  sigma: "σ", tau: "τ", phi: "φ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ",
  Delta: "Δ", Theta: "Θ", Lambda: "Λ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
  times: "×", cdot: "·", div: "÷", pm: "±", mp: "∓", leq: "≤", le: "≤", geq: "≥", ge: "≥",
  neq: "≠", ne: "≠", approx: "≈", equiv: "≡", sim: "∼", propto: "∝", infty: "∞", partial: "∂",
  nabla: "∇", sum: "∑", prod: "∏", int: "∫", in: "∈", notin: "∉", subset: "⊂", subseteq: "⊆",
  cup: "∪", cap: "∩", emptyset: "∅", forall: "∀", exists: "∃", neg: "¬", land: "∧", lor: "∨",
  to: "→", rightarrow: "→", Rightarrow: "⇒", implies: "⇒", leftarrow: "←", iff: "⇔", mapsto: "↦",
  ldots: "…", cdots: "⋯", dots: "…", circ: "∘", degree: "°", angle: "∠", quad: " ", qquad: "  ",
  left: "", right: "", displaystyle: "", limits: "", big: "", Big: "",
};
const FUNCTIONS = /\\(arcsin|arccos|arctan|sin|cos|tan|cot|log|ln|exp|lim|min|max|det|gcd)\b ?/g;
const UPPER = { from: "0123456789+-=()n", to: "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ" };
const LOWER = { from: "0123456789+-=()", to: "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎" };

/** Returns a node with a formula; its source is the node's title. */
export function mathNode(source) {
  const node = document.createElement("span");
  node.className = "math";
  node.dir = "ltr";
  node.textContent = readable(source);
  node.title = source.trim();
  return node;
}

function readable(source) {
  return source
    .trim()
    .replace(/\\(?:text|mathrm|mathbf|mathit|operatorname|boxed)\{([^{}]*)\}/g, "$1")
    .replace(/\\d?frac\{([^{}]*)\}\{([^{}]*)\}/g, (_, over, under) => `${group(over)}/${group(under)}`)
    .replace(/\\sqrt\{([^{}]*)\}/g, (_, inside) => `√${group(inside)}`)
    .replace(FUNCTIONS, "$1 ")
    .replace(/\\([A-Za-z]+)/g, (whole, name) => (Object.hasOwn(SIGNS, name) ? SIGNS[name] : whole))
    .replace(/\^(?:\{([^{}]*)\}|(\w))/g, (whole, many, one) => raised(UPPER, many ?? one, whole))
    .replace(/_(?:\{([^{}]*)\}|(\w))/g, (whole, many, one) => raised(LOWER, many ?? one, whole))
    .replace(/\\[,;:! ]/g, " ")
    .replace(/\\([{}%&#$_])/g, "$1");
}

function group(text) {
  return /^[\w.\\]+$/.test(text) ? text : `(${text})`;
}

function raised({ from, to }, text, otherwise) {
  const signs = [...text].map((sign) => to[from.indexOf(sign)]);
  return signs.every(Boolean) ? signs.join("") : otherwise;
}
