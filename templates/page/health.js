/** Watches the server: "loading", then "ready", and "away" when it does not answer. */

const PAUSE_MS = { loading: 400, ready: 10_000, away: 1500 };
const PATIENCE_MS = 10_000;

/** Calls `onChange(state)` whenever the state changes, and keeps asking. */
export class Health {
  #onChange;
  #timer = 0;
  state = "";

  constructor(onChange) {
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", () => this.check());
    this.check();
  }

  /** Asks now instead of at the end of the pause. */
  async check() {
    clearTimeout(this.#timer);
    const state = await ask();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.check(), PAUSE_MS[state]);
    if (state === this.state) return;
    this.state = state;
    this.#onChange(state);
  }
}

async function ask() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch("health", { cache: "no-store", signal });
    if (response.ok) return "ready";
    return response.status === 503 ? "loading" : "away";
  } catch {
    return "away";
  }
}
