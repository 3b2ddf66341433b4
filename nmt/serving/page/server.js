// Requests to the server.

/** A fault in words for people; `again` tells whether the same request may succeed later. */
export class Fault extends Error {
  constructor(text, again) {
    super(text);
    this.again = again;
  }
}

const SAID = {
  403: ['This API key is not accepted.', false],
  413: ['This text is too long for the server.', false],
  503: ['The server has too much to do.', true],
  504: ['The translation took too long; a shorter text may do.', true],
};

/** The answer to a request, or a `Fault`. */
export async function ask(path, body, key, signal) {
  const headers = { 'Content-Type': 'application/json' };
  if (key) headers.Authorization = `Bearer ${key}`;
  const answer = await reach(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  const value = await answer.json().catch(() => null);
  signal?.throwIfAborted();
  if (answer.ok && value) return value;
  const [text, again] = SAID[answer.status] ?? [value?.error ?? `The server answered with status ${answer.status}.`, answer.status >= 500];
  throw new Fault(text, again);
}

export async function get(path) {
  const answer = await reach(path);
  if (!answer.ok) throw new Fault(`The server answered with status ${answer.status}.`, true);
  return answer.json();
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Fault('The server does not answer.', true);
  }
}
