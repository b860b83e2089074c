/** The access key in a request's headers; most solofiles ask for none. */

/** Returns the headers with a key that may be empty. */
export function withKey(key, headers = {}) {
  return key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
}
