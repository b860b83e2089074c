/** Keeps small JSON values in the browser, apart for each model; never throws. */

const scope = `solofile:${document.documentElement.dataset.model}:`;

/** Returns what was kept under `name`, or null. `area` is "session" (this tab) or "local". */
export function recall(area, name) {
  try {
    return JSON.parse(window[`${area}Storage`].getItem(scope + name));
  } catch {
    return null;
  }
}

/** Keeps `value`, or forgets the name when it is null; false when the browser refuses. */
export function keep(area, name, value) {
  try {
    const storage = window[`${area}Storage`];
    if (value === null) storage.removeItem(scope + name);
    else storage.setItem(scope + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
