// The page of `nmt serve`: what is asked, and what is shown of the answers.

import { $, copy, element, fill, refuse, refused, why } from './dom.js';
import { heatmap } from './heatmap.js';
import { ask, Fault, get } from './server.js';
import { lighting, numbered, words } from './words.js';

const MOST_MODELS = 3;
const COMPARED = 2; // models of a pair that stand side by side at first
const RECOGNISED = 5; // percent, below which the language of a text is unknown
const WAIT = 300; // milliseconds without typing after which a text is translated
const EXAMPLES = {
  de: {
    'a short one': 'Ein Hund schläft im Garten.',
    'a longer one': 'Ein Mann in einem blauen Hemd steht auf einer Leiter und putzt ein Fenster.',
    'one too long for a thought vector':
      'Eine Frau in einem roten Mantel geht mit ihrem kleinen Hund durch den Park, während zwei Kinder auf einer Bank sitzen, ' +
      'ein alter Mann eine Zeitung liest und drei Mädchen am Wasser mit einem gelben Ball spielen.',
  },
  en: {
    'a short one': 'A dog is sleeping in the garden.',
    'a longer one': 'A man in a blue shirt is standing on a ladder cleaning a window.',
    'one too long for a thought vector':
      'A woman in a red coat is walking her small dog through the park, while two children are sitting on a bench, ' +
      'an old man is reading a newspaper and three girls are playing with a yellow ball by the water.',
  },
};
/** Warnings of the server in words for people, and what they mean; others are shown as they are. */
const WARNINGS = {
  'source span never attended': ['Perhaps left out', 'The model hardly looked at these words while it wrote.'],
  'repetition loop': ['It repeats itself', 'A model that has lost the thread writes the same words again and again.'],
  'length ratio out of range': ['Of unusual length', 'The translation is much longer or shorter than those that the model has learned from.'],
  'copied source': ['Not translated', 'These words of the text stand in the translation as they were.'],
  'pieces unknown to training': ['Never seen in training', 'The model has not learned from any text with these characters.'],
  'longer than anything trained on': ['A long sentence', 'It is longer than any sentence that the model has learned from.'],
  'translated in parts': ['Translated in parts', 'The sentence is longer than any that the model has learned from, so it was cut.'],
  'output reached the length cap before it ended': ['Cut off', 'The translation reached the longest length that the server allows.'],
};
const SCORE = 'The log-probability of the translation under this model, corrected for its length. Nearer to 0 is surer; it says nothing of how good another model is.';

const state = { settings: null, languages: [], results: new Map(), views: new Map(), guess: null, ticked: new Set(), running: null, timer: 0 };

/** The line above the translation, which screen readers read out; `unseen` is for them alone. */
function say(text, { wrong = false, again = false, unseen = '' } = {}) {
  $('status').replaceChildren(text, element('span', { name: 'aside', text: unseen }));
  $('status').classList.toggle('wrong', wrong);
  $('again').hidden = !again;
}

function busy(old) {
  for (const box of [$('results'), $('looking')]) box.classList.toggle('old', old);
  $('results').setAttribute('aria-busy', String(old));
}

const named = (code) => state.languages.find((language) => language.code === code)?.name ?? new Intl.DisplayNames(['en'], { type: 'language' }).of(code);
const titled = (model) => `${model.title} (${model.name})`;
const models = () => between($('from').value === 'auto' ? state.guess : $('from').value, $('to').value);

/** The models of a pair of languages; without a source language, all that write the target. */
function between(source, target) {
  const found = state.settings.models.filter((model) => model.target === target);
  return source ? found.filter((model) => model.source === source) : found;
}

/** The ticked models; if there is none, the first two of a language, to be compared. */
function chosen() {
  const ticked = models().filter((model) => state.ticked.has(model.name));
  const alike = models().filter((model) => model.source === models()[0].source);
  return ticked.length ? ticked.slice(0, MOST_MODELS) : alike.slice(0, COMPARED);
}

// Translating

async function translate() {
  clearTimeout(state.timer);
  state.running?.abort();
  const running = (state.running = new AbortController());
  const q = $('source').value;
  if (!q.trim()) return show([], 'The translation appears here.');
  say('Translating …');
  busy(true);
  try {
    check(q);
    const notice = await detect(q, running.signal);
    const results = await Promise.all((notice.stop ? [] : chosen()).map((model) => translateWith(model, q, running.signal)));
    show(results, notice.text);
    await look(running.signal);
  } catch (error) {
    if (error.name !== 'AbortError') fail(error);
  }
}

/** What is known to be refused is not asked. */
function check(q) {
  const size = [...q].length;
  const limit = state.settings.charLimit;
  if (size > limit) throw new Fault(`This text has ${size.toLocaleString('en')} characters; the server translates at most ${limit.toLocaleString('en')} at a time.`, false);
  if (state.settings.keyRequired && !$('key').value) throw new Fault('Enter your API key above to translate.', false);
}

/** Asks for the language of the text once, whatever the number of models; returns what to say of it. */
async function detect(q, signal) {
  if ($('from').value !== 'auto') return { text: '' };
  const [guess] = await ask('detect', { q }, $('key').value, signal);
  const known = guess.confidence >= RECOGNISED;
  const target = $('to').value;
  const language = named(guess.language);
  if (state.guess !== (known ? guess.language : null)) {
    state.guess = known ? guess.language : null;
    showModels();
  }
  if (!known) return { text: `The language was not recognised; the text is read as ${named(chosen()[0].source)}.` };
  if (guess.language === target) return { text: `The text looks like ${language} already (${guess.confidence} % sure).`, stop: true };
  if (!models().length) return { text: `The text looks like ${language} (${guess.confidence} % sure), and there is no model from ${language} to ${named(target)}.`, stop: true };
  return { text: `From ${language}, ${guess.confidence} % sure.` };
}

async function translateWith(model, q, signal) {
  const alternatives = Math.min(3, state.settings.alternatives);
  const body = { q, source: model.source, target: model.target, model: model.name, details: true, alternatives };
  return { model, ...(await ask('translate', body, $('key').value, signal)) };
}

function fail(error) {
  show([], '');
  say(error.message, { wrong: true, again: error instanceof Fault ? error.again : true });
  if (state.settings?.keyRequired && !$('key').value) $('key').focus();
}

/** Requests the interpretation of the chosen sentence by each model. */
async function look(signal) {
  const views = new Map();
  await Promise.all([...state.results.values()].map(async ({ model, details }) => {
    const sentence = details[Number($('sentence').value) || 0];
    if (sentence) views.set(model.name, await view(model, sentence, signal));
  }));
  state.views = views;
  showViews();
}

async function view(model, sentence, signal) {
  const kind = $('kind').value || model.kinds[0];
  if (!model.kinds.length) return { refused: 'An export, or a model in other processes, cannot be looked into.' };
  if (!model.kinds.includes(kind)) return { refused: `${model.title} has no ${kind}.` };
  const body = { q: sentence.source, source: model.source, target: model.target, model: model.name, kind };
  try {
    return await ask('inspect', body, $('key').value, signal);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    return { refused: error.message };
  }
}

const lookAgain = () => look(state.running?.signal).catch((error) => error.name === 'AbortError' || fail(error));

// Showing

function show(results, notice) {
  state.results = new Map(results.map((result) => [result.model.name, result]));
  state.views = new Map();
  const sentences = results[0]?.details ?? [];
  const before = $('sentence').value;
  $('results').replaceChildren(...results.map(card));
  $('read').replaceChildren(...sentences.flatMap((sentence, place) => [...words(sentence.source, place), ' ']));
  $('read').lang = results[0]?.model.source ?? '';
  numbered($('read'));
  fill($('sentence'), sentences.map((sentence, place) => [String(place), `${place + 1}: ${sentence.source.slice(0, 40)}`]), before);
  $('sentence-field').hidden = sentences.length < 2;
  $('looking').hidden = !sentences.length;
  busy(false);
  say(notice, { unseen: results.map((result) => `${results.length > 1 ? `${titled(result.model)}: ` : ''}${result.translatedText}`).join('\n') });
  showActions();
  showViews();
}

function card(result) {
  const { model, details } = result;
  const text = element('div', { name: 'words', lang: model.target });
  text.append(...laidOut(result));
  numbered(text);
  const score = details.reduce((sum, sentence) => sum + sentence.score, 0);
  const button = element('button', { text: 'Copy', type: 'button', label: `Copy, ${titled(model)}` });
  button.addEventListener('click', async () => told(await copy(result.translatedText), 'Copied.', text));
  const head = element('header', { children: [element('h3', { text: titled(model) }), button] });
  const facts = element('div', { name: 'row faint', children: [element('span', { text: `score ${score.toFixed(2)}` }), why(SCORE), ...model.notes.map((note) => element('span', { text: note }))] });
  const made = element('article', { name: 'card', children: [head, text, ...details.flatMap((sentence) => sentence.warnings.map(warning)), ...others(result), facts] });
  made.dataset.model = model.name;
  return made;
}

function warning(text) {
  const at = text.indexOf(': ');
  const [kind, rest] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 2)];
  const [title, meaning] = WARNINGS[kind] ?? [kind, null];
  return element('div', { name: 'row wrong', children: [element('span', { text: `⚠ ${title}${rest && `: ${rest}`}` }), ...(meaning ? [why(meaning)] : [])] });
}

/** The translation with its line breaks; each sentence is located in it, so that its words can be highlighted. */
function laidOut(result) {
  const parts = [];
  let rest = result.translatedText;
  result.details.forEach((sentence, place) => {
    const at = rest.indexOf(sentence.text);
    if (at < 0) return;
    parts.push(rest.slice(0, at), ...words(sentence.text, place));
    rest = rest.slice(at + sentence.text.length);
  });
  return [...parts, rest];
}

function others(result) {
  if (!result.alternatives?.length) return [];
  const scores = result.details.length === 1 ? Object.fromEntries(result.details[0].alternatives.map((each) => [each.text, each.score.toFixed(2)])) : {};
  const items = result.alternatives.map((text) => element('li', { lang: result.model.target, text: scores[text.trim()] ? `${text} (${scores[text.trim()]})` : text }));
  return [element('details', { children: [element('summary', { text: items.length === 1 ? '1 alternative' : `${items.length} alternatives` }), element('ul', { children: items })] })];
}

function showViews() {
  const shown = [...state.results.values()].filter(({ model }) => state.views.has(model.name));
  const narrow = matchMedia('(max-width: 48rem)').matches;
  const folded = new Set(narrow ? shown.slice(1).map(({ model }) => model.name) : []); // one picture at a time on a phone
  $('views').replaceChildren(...shown.map(({ model }) => {
    const found = state.views.get(model.name);
    const body = found.refused ? [element('p', { name: 'faint', text: found.refused })] : heatmap(found, $('pieces').checked);
    return element('details', { name: 'card', open: !folded.has(model.name), children: [element('summary', { text: titled(model) }), ...body] });
  }));
}

/** Which models there are to tick; what is ticked stays so while other languages are chosen. */
function showModels() {
  const found = models();
  const names = chosen().map((model) => model.name);
  $('models').hidden = found.length < 2;
  const boxes = found.map((model) => element('label', { children: [element('input', { type: 'checkbox', value: model.name, checked: names.includes(model.name) }), ` ${titled(model)}`] }));
  $('models').replaceChildren(element('legend', { text: `Models, up to ${MOST_MODELS}` }), ...boxes);
  limitModels();
}

function ticked() {
  for (const { value, checked } of document.querySelectorAll('#models input')) state.ticked[checked ? 'add' : 'delete'](value);
  limitModels();
  keep();
  typed(0);
}

function limitModels() {
  const boxes = [...document.querySelectorAll('#models input')];
  const full = boxes.filter((box) => box.checked).length >= MOST_MODELS;
  for (const box of boxes) box.disabled = full && !box.checked;
}

/** Examples stand under an empty text only; buttons that cannot be used say why. */
function showActions() {
  const text = $('source').value;
  const size = [...text].length;
  const limit = state.settings.charLimit;
  $('count').textContent = text ? `${size.toLocaleString('en')} of ${limit.toLocaleString('en')}` : '';
  $('count').classList.toggle('wrong', size > limit);
  $('source').lang = $('from').value === 'auto' ? state.guess ?? '' : $('from').value;
  refuse($('clear'), text ? null : 'There is no text to clear.', 'Clear the text');
  refuse($('link'), text ? null : 'There is no text yet; the address of this page holds languages and models.', 'Copy a link that holds languages, models and the text');
  refuse($('swap'), unswappable(), 'Swap languages');
  const found = text ? [] : Object.entries(EXAMPLES[models()[0]?.source] ?? {});
  $('examples').hidden = !found.length;
  $('examples').replaceChildren(element('span', { name: 'faint', text: 'Try' }), ...found.map(([name, example]) => {
    const button = element('button', { type: 'button', text: name, title: example });
    button.addEventListener('click', () => {
      $('source').value = example;
      edited(0);
      $('source').focus();
    });
    return button;
  }));
}

function unswappable() {
  const from = $('from').value === 'auto' ? state.guess : $('from').value;
  if (!from) return 'The language of the text is not known yet.';
  return between($('to').value, from).length ? null : `There is no model from ${named($('to').value)} to ${named(from)}.`;
}

// Events

/** Does what a button is for, or says why it cannot. */
function pressed(id, action) {
  $(id).addEventListener('click', () => {
    if (refused($(id))) say(refused($(id)));
    else action();
  });
}

/** Says that something was copied; if it could not be, selects it. */
function told(copied, text, box) {
  if (!copied) getSelection().selectAllChildren(box);
  say(copied ? text : 'The browser does not let this page copy. The text is selected; press Ctrl+C.');
}

function typed(wait = WAIT) {
  showActions();
  busy(Boolean(state.results.size));
  clearTimeout(state.timer);
  state.timer = setTimeout(translate, wait);
}

function changedLanguages() {
  const source = state.languages.find((language) => language.code === $('from').value);
  const targets = new Set(source ? source.targets : state.settings.models.map((model) => model.target));
  fill($('to'), state.languages.filter((language) => targets.has(language.code)).map((language) => [language.code, language.name]), $('to').value);
  state.guess = null;
  showModels();
  typed(0);
}

function swap() {
  const text = state.results.values().next().value?.translatedText;
  const [from, to] = [$('from').value === 'auto' ? state.guess : $('from').value, $('to').value];
  if (text) $('source').value = text;
  choose(to, from);
  keep();
}

/** Sets languages, where the server has them. */
function choose(from, to) {
  for (const [list, code] of [[$('from'), from], [$('to'), to]]) {
    if ([...list.options].some((option) => option.value === code)) list.value = code;
    changedLanguages();
  }
}

const kept = () => new URLSearchParams({ from: $('from').value, to: $('to').value, ...(models().length > 1 && { models: chosen().map((model) => model.name) }) });

/** The fragment of the address keeps languages and models for a reload, never the text: browsers keep a history. */
function keep() {
  history.replaceState(null, '', `#${kept()}`);
}

/** A text that came with a link leaves the address when it is changed. */
function edited(wait) {
  if (new URLSearchParams(location.hash.slice(1)).has('q')) keep();
  typed(wait);
}

async function link() {
  const address = new URL(`#${kept()}&${new URLSearchParams({ q: $('source').value })}`, location.href).href;
  if (await copy(address)) return say('Link copied. Whoever has it can read the text.');
  const field = element('input', { value: address, readOnly: true, label: 'The link' });
  say('The browser does not let this page copy. The link is selected; press Ctrl+C.');
  $('status').append(field);
  field.select();
}

function recall() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has('q')) $('source').value = given.get('q');
  state.ticked = new Set(given.get('models')?.split(','));
  choose(given.get('from'), given.get('to'));
}

function themed(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $('theme').textContent = `Theme: ${theme}`;
}

function nextTheme() {
  const themes = ['system', 'light', 'dark'];
  const next = themes[(themes.indexOf(localStorage.getItem('theme') ?? 'system') + 1) % themes.length];
  localStorage.setItem('theme', next);
  themed(next);
}

async function begin() {
  const theme = localStorage.getItem('theme');
  themed(theme === 'light' || theme === 'dark' ? theme : 'system');
  $('theme').addEventListener('click', nextTheme);
  $('settings').addEventListener('submit', (event) => event.preventDefault());
  $('again').addEventListener('click', () => (state.settings ? translate() : location.reload()));
  [state.settings, state.languages] = await Promise.all(['frontend/settings', 'languages'].map(get));
  $('key-field').hidden = !state.settings.keyRequired;
  const sources = state.languages.filter((language) => language.targets.length).map((language) => [language.code, language.name]);
  fill($('from'), [...(state.settings.detection ? [['auto', 'Detect language']] : []), ...sources], sources.length === 1 ? sources[0][0] : 'auto');
  pressed('swap', swap);
  pressed('link', link);
  pressed('clear', () => {
    $('source').value = '';
    edited(0);
    $('source').focus();
  });
  $('source').addEventListener('input', () => edited());
  $('source').addEventListener('keydown', (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && typed(0));
  for (const id of ['from', 'to']) $(id).addEventListener('change', () => { changedLanguages(); keep(); });
  for (const id of ['kind', 'sentence']) $(id).addEventListener('change', lookAgain);
  $('pieces').addEventListener('change', showViews);
  $('key').addEventListener('change', () => typed(0));
  $('models').addEventListener('change', ticked);
  for (const box of [$('read'), $('results')]) {
    lighting(box, () => state.results, (name, sentence) => (sentence === (Number($('sentence').value) || 0) ? state.views.get(name) : null));
  }
  window.addEventListener('hashchange', recall);
  recall();
  if (state.settings.keyRequired) $('key').focus();
}

begin().catch((error) => say(error.message, { wrong: true, again: true }));
