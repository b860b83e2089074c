/** Quit: ends the solofile for whoever started it by a double click. */

import { withKey } from "./key.js";

/**
 * Lets a button end the solofile.
 *
 * Args:
 *   button: Null where the server has none to offer.
 *   key: Returns the access key, which may be empty.
 *   fail: Told why it did not end.
 */
export function offerQuit(button, key, fail) {
  button?.addEventListener("click", async () => {
    try {
      const response = await fetch("page/quit", { method: "POST", headers: withKey(key()) });
      if (response.ok) return document.getElementById("ended").showModal();
      fail((await response.json()).error.message);
    } catch {
      // It has gone already, which the page says.
    }
  });
}
