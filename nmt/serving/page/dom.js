// Elements and copying. Texts from users and models are set as text, never as markup.

export const $ = (id) => document.getElementById(id);

/** An element with a class, a text and children; it sets no attribute that could run a script. */
export function element(tag, { text, name, title, label, children = [], ...rest } = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  if (title) made.title = title;
  if (label) made.setAttribute('aria-label', label);
  made.append(...children);
  return Object.assign(made, rest);
}

export function fill(list, choices, chosen) {
  list.replaceChildren(...choices.map(([value, text]) => element('option', { value, text })));
  if (choices.some(([value]) => value === chosen)) list.value = chosen;
}

/** A question mark that opens one sentence. */
export function why(sentence) {
  return element('details', { name: 'why', children: [element('summary', { text: '?', label: 'What is this?' }), element('span', { text: sentence })] });
}

/** Greys a button with a reason, which stays readable and is said when the button is pressed; null enables it. */
export function refuse(button, reason, title) {
  button.setAttribute('aria-disabled', String(reason !== null));
  button.title = reason ?? title;
}

export const refused = (button) => (button.getAttribute('aria-disabled') === 'true' ? button.title : null);

/** Copies a text. Without TLS there is no clipboard interface, so a selection is copied the old way. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text) {
  const field = element('textarea', { value: text, readOnly: true, name: 'aside' });
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  before?.focus();
  return copied;
}
