/** What the server tells of its model; a start needs none of it. */

import { withKey } from "./key.js";

/** Returns `n_ctx`, `canSee` and the sampling defaults in `params`; null where a key is missing. */
export async function serverFacts(key) {
  const response = await fetch("props", { headers: withKey(key) }).catch(() => null);
  if (!response?.ok) return null;
  const { default_generation_settings: defaults, modalities } = await response.json();
  return { n_ctx: defaults.n_ctx, canSee: modalities.vision, params: defaults.params };
}
