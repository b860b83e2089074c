/** Watches the server: "loading", then "ready"; "failed", or "away" when it does not answer. */

const PAUSE_MS = { loading: 400, ready: 10_000, failed: 10_000, away: 1500 };
const PATIENCE_MS = 10_000;

/** Calls `onChange(state, detail)` whenever one of them changes, and keeps asking. */
export class Health {
  #onChange;
  #timer = 0;
  #detail = "";
  state = "";

  constructor(onChange) {
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", () => this.check());
    this.check();
  }

  /** Asks now instead of at the end of the pause. */
  async check() {
    clearTimeout(this.#timer);
    const { state, detail = "" } = await ask();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.check(), PAUSE_MS[state]);
    if (state === this.state && detail === this.#detail) return;
    this.state = state;
    this.#detail = detail;
    this.#onChange(state, detail);
  }
}

async function ask() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch("health", { cache: "no-store", signal });
    if (response.ok) return { state: "ready" };
    const { error } = await response.json();
    if (response.status !== 503) return { state: "failed", detail: error.message };
    return { state: "loading", detail: percent(error.progress) };
  } catch {
    return { state: "away" };
  }
}

/** Returns how much of the weights is there, where the server knows. */
function percent(share) {
  return share === undefined ? "" : `${Math.floor(100 * share)} %`;
}
