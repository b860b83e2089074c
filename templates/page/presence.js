/** Tells a solofile that was double-clicked that a page is open, so that it does not end by itself. */

const PAUSE_MS = 3000;

/** Holds an answer open for as long as the page is; ends where the server does not mind. */
async function hold() {
  for (;;) {
    try {
      const response = await fetch("page/presence", { cache: "no-store" });
      if (response.status === 204) return;
      await response.body.pipeTo(new WritableStream());
    } catch {
      // The server went away, which the page says already.
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

// Browsers open six connections to a server, so of several pages one holds the answer. Without
// locks, on pages from elsewhere, asking for the server's health has to do.
navigator.locks?.request("presence", hold);
