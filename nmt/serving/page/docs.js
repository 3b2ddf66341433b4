// The examples with the address, the languages and the keys of this server.

import { get } from './server.js';

const EXAMPLES = { de: 'Ein Hund schläft.', en: 'A dog is sleeping.', fr: 'Un chien dort.' };

function put(name, text) {
  for (const place of document.querySelectorAll(`.${name}`)) place.textContent = text;
}

put('origin', new URL('.', location.href).href.replace(/\/$/, ''));
const { models, keyRequired } = await get('frontend/settings');
const [{ source, target }] = models;
put('source', source);
put('target', target);
put('example', EXAMPLES[source] ?? '…');
for (const place of document.querySelectorAll('.key')) place.hidden = !keyRequired;
