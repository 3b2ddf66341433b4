// The page of `nmt serve`. Texts from users and models are set as text, never as markup.

const MOST_MODELS = 3;
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

const $ = (id) => document.getElementById(id);
const state = { settings: null, languages: [], results: new Map(), views: new Map(), running: null, timer: 0 };

/** An element with a class, a text and children; it sets no attribute that could run a script. */
function element(tag, { text, name, title, children = [], ...rest } = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  if (title) made.title = title;
  made.append(...children);
  return Object.assign(made, rest);
}

function fill(list, choices, chosen) {
  list.replaceChildren(...choices.map(([value, text]) => element('option', { value, text })));
  if (choices.some(([value]) => value === chosen)) list.value = chosen;
}

function say(text, wrong = false) {
  $('status').textContent = text;
  $('status').classList.toggle('wrong', wrong);
}

// Requests

async function ask(path, body, signal) {
  const headers = { 'Content-Type': 'application/json' };
  if ($('key').value) headers.Authorization = `Bearer ${$('key').value}`;
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

const models = () => state.settings.models.filter((model) => model.target === $('to').value && ($('from').value === 'auto' || model.source === $('from').value));

function chosen() {
  const ticked = [...document.querySelectorAll('#models input:checked')].map((box) => box.value);
  const found = models().filter((model) => ticked.includes(model.name));
  return (found.length ? found : models().slice(0, 1)).slice(0, MOST_MODELS);
}

async function translate() {
  state.running?.abort();
  const running = (state.running = new AbortController());
  const q = $('source').value;
  remember();
  state.results.clear();
  state.views.clear();
  if (!q.trim()) return show();
  say('Translating …');
  try {
    await Promise.all(chosen().map((model) => translateWith(model, q, running.signal)));
    say('');
    show();
    await look(running.signal);
  } catch (error) {
    if (error.name !== 'AbortError') say(error.message, true);
  }
}

async function translateWith(model, q, signal) {
  const auto = $('from').value === 'auto' && !state.settings.detection;
  const source = auto || chosen().length > 1 ? model.source : $('from').value;
  const alternatives = Math.min(3, state.settings.alternatives);
  const body = { q, source, target: model.target, details: true, alternatives };
  if (source !== 'auto') body.model = model.name;
  const answer = await ask('translate', body, signal);
  state.results.set(model.name, { model, ...answer });
}

/** Requests the interpretation of the chosen sentence by each model. */
async function look(signal) {
  state.views.clear();
  const results = [...state.results.values()];
  await Promise.all(results.map(async (result) => {
    const sentence = result.details[Number($('sentence').value) || 0];
    const model = state.settings.models.find((each) => each.name === sentence?.model);
    if (!sentence || !model) return;
    const kind = $('kind').value || model.kinds[0];
    if (!model.kinds.includes(kind)) {
      state.views.set(result.model.name, { refused: `${model.title} has no ${kind}.` });
      return;
    }
    const body = { q: sentence.source, source: model.source, target: model.target, model: model.name, kind };
    try {
      state.views.set(result.model.name, await ask('inspect', body, signal));
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      state.views.set(result.model.name, { refused: error.message });
    }
  }));
  showViews();
}

// Words and their alignment

/** Groups pieces into words; returns the indices of the pieces of each word. */
function grouped(pieces) {
  const words = [];
  pieces.forEach((piece, place) => {
    if (piece === '</s>') return;
    if (piece.startsWith('▁') || !words.length) words.push([]);
    words.at(-1).push(place);
  });
  return words;
}

/** How much each target word rests on each source word, from 0 to 1: by the heatmap of this sentence if there is one, else by the alignment. */
function links(sentence, view) {
  const source = grouped(sentence.source_pieces);
  const target = grouped(sentence.pieces);
  const pictured = view?.values && view.kind !== 'gates' && view.source_pieces.join() === sentence.source_pieces.join() && view.pieces.join() === sentence.pieces.join();
  const aligned = new Set(sentence.alignment.map(([from, to]) => `${from} ${to}`));
  const value = pictured ? (row, column) => Math.max(view.values[row]?.[column] ?? 0, 0) : (row, column) => Number(aligned.has(`${column} ${row}`));
  const weights = target.map((rows) => source.map((columns) => rows.reduce((sum, row) => sum + columns.reduce((part, column) => part + value(row, column), 0), 0)));
  return weights.map((row) => {
    const most = Math.max(...row, 1e-9);
    return row.map((weight) => weight / most);
  });
}

/** The words of a sentence as elements with their indices; arrow keys move from word to word. */
function words(text, sentence) {
  return text.split(/(\s+)/).filter(Boolean).map((part) => {
    if (!part.trim()) return part;
    const word = element('span', { name: 'word', text: part });
    word.dataset.sentence = sentence;
    return word;
  });
}

function numbered(box) {
  const counts = {};
  for (const word of box.querySelectorAll('.word')) {
    const sentence = word.dataset.sentence;
    word.dataset.word = counts[sentence] = (counts[sentence] ?? -1) + 1;
    word.tabIndex = -1;
  }
  const first = box.querySelector('.word');
  if (first) first.tabIndex = 0;
}

function lights(word) {
  const { sentence, word: place } = word.dataset;
  const card = word.closest('.card');
  for (const [name, result] of state.results) {
    if (card && card.dataset.model !== name) continue;
    const details = result.details[sentence];
    const shown = document.querySelector(`.card[data-model="${CSS.escape(name)}"]`);
    if (!details || !shown) continue;
    const found = links(details, Number(sentence) === (Number($('sentence').value) || 0) ? state.views.get(name) : null);
    if (card) light($('read'), sentence, found[place] ?? []);
    else light(shown, sentence, found.map((row) => row[place] ?? 0));
  }
}

function light(box, sentence, strengths) {
  for (const word of box.querySelectorAll(`.word[data-sentence="${sentence}"]`)) {
    const strength = strengths[word.dataset.word] ?? 0;
    word.style.background = strength > 0.02 ? `color-mix(in srgb, var(--light) ${Math.round(100 * strength)}%, transparent)` : '';
  }
}

function dark() {
  for (const word of document.querySelectorAll('.word')) {
    word.style.background = '';
    word.classList.remove('here');
  }
}

function point(event) {
  const word = event.target.closest?.('.word');
  dark();
  if (!word) return;
  word.classList.add('here');
  lights(word);
}

/** When the pointer leaves, the focused word is highlighted again. */
function rest() {
  point({ target: document.activeElement });
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const word = event.target.closest?.('.word');
  if (!step || !word) return;
  const all = [...word.closest('.words').querySelectorAll('.word')];
  const next = all[all.indexOf(word) + step];
  if (!next) return;
  event.preventDefault();
  word.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

// Rendering

function show() {
  const results = [...state.results.values()].sort((a, b) => models().indexOf(a.model) - models().indexOf(b.model));
  const sentences = results[0]?.details ?? [];
  $('read').replaceChildren(...sentences.flatMap((sentence, place) => [...words(sentence.source, place), ' ']));
  numbered($('read'));
  $('results').replaceChildren(...results.map(card));
  const before = $('sentence').value;
  fill($('sentence'), sentences.map((sentence, place) => [String(place), `${place + 1}: ${sentence.source.slice(0, 40)}`]), before);
  $('sentence-field').hidden = sentences.length < 2;
  $('looking').hidden = !sentences.length;
  showViews();
}

function card(result) {
  const text = element('div', { name: 'words', lang: result.model.target });
  text.setAttribute('aria-live', 'polite');
  text.append(...laidOut(result));
  numbered(text);
  const score = result.details.reduce((sum, sentence) => sum + sentence.score, 0);
  const guess = result.detectedLanguage;
  const facts = [`score ${score.toFixed(2)}`];
  if (guess) facts.push(`from ${guess.language}, ${guess.confidence} % sure`);
  const copy = element('button', { text: 'Copy', type: 'button' });
  copy.addEventListener('click', () => navigator.clipboard.writeText(result.translatedText).then(() => say('Copied.'), () => say('The browser did not let us copy.', true)));
  const head = element('header', { children: [element('h3', { text: `${result.model.title} (${result.model.name})` }), copy] });
  const warnings = result.details.flatMap((sentence) => sentence.warnings).map((warning) => element('p', { name: 'wrong', text: `⚠ ${warning}` }));
  const made = element('article', { name: 'card', children: [head, text, element('p', { name: 'faint', text: facts.join(' · ') }), ...warnings, ...others(result)] });
  made.dataset.model = result.model.name;
  return made;
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
  const items = result.alternatives.map((text) => element('li', { text: scores[text.trim()] ? `${text} (${scores[text.trim()]})` : text }));
  return [element('details', { children: [element('summary', { text: `${items.length} alternatives` }), element('ul', { children: items })] })];
}

function showViews() {
  const shown = [...state.results.values()].filter((result) => state.views.has(result.model.name));
  $('views').replaceChildren(...shown.map((result) => {
    const view = state.views.get(result.model.name);
    const title = element('h3', { text: result.model.title });
    const body = view.refused ? element('p', { name: 'faint', text: view.refused }) : element('div', { name: 'scroll', tabIndex: 0, children: [drawing(view)] });
    return element('article', { name: 'card', children: [title, body] });
  }));
}

/** A heatmap as a table of shades; each cell also has its value as text, for screen readers. */
function drawing(view) {
  const most = Math.max(...view.values.flat());
  const top = view.kind === 'occlusion' ? Math.min(Math.max(most, 0.05), 5) : 1;
  const numbers = view.kind === 'gates' ? view.mean : view.scores;
  const heads = view.columns.map((name) => element('th', { scope: 'col', children: [element('span', { text: name })] }));
  const last = element('th', { text: view.kind === 'gates' ? 'mean' : 'log p' });
  const rows = view.rows.map((name, row) => {
    const cells = view.values[row].map((value, column) => cell(value, top, `${name}, ${view.columns[column]}: ${value.toFixed(3)}`));
    return element('tr', { children: [element('th', { scope: 'row', text: name }), ...cells, element('td', { name: 'number', text: numbers[row].toFixed(2) })] });
  });
  const children = [
    element('caption', { text: `${view.kind}: ${view.scale}` }),
    element('thead', { children: [element('tr', { children: [element('td'), ...heads, last] })] }),
    element('tbody', { children: rows }),
  ];
  return element('table', { children });
}

function cell(value, top, title) {
  const shade = element('i');
  shade.style.opacity = Math.min(Math.max(value / top, 0), 1).toFixed(3);
  return element('td', { name: 'cell', title, children: [shade, element('span', { name: 'aside', text: value.toFixed(2) })] });
}

function showModels() {
  const found = models();
  const before = new Set(chosen().map((model) => model.name));
  $('models').hidden = found.length < 2;
  const boxes = found.map((model, place) => {
    const box = element('input', { type: 'checkbox', value: model.name, checked: before.has(model.name) && place < MOST_MODELS });
    return element('label', { children: [box, ` ${model.title} (${model.name})`] });
  });
  $('models').replaceChildren(element('legend', { text: 'Models, up to three' }), ...boxes);
  limitModels();
  showExamples();
}

function limitModels() {
  const boxes = [...document.querySelectorAll('#models input')];
  const full = boxes.filter((box) => box.checked).length >= MOST_MODELS;
  for (const box of boxes) box.disabled = full && !box.checked;
}

function showExamples() {
  const source = $('from').value === 'auto' ? models()[0]?.source : $('from').value;
  const found = Object.entries(EXAMPLES[source] ?? {});
  const buttons = found.map(([name, text]) => {
    const button = element('button', { type: 'button', text: name, title: text });
    button.addEventListener('click', () => {
      $('source').value = text;
      typed(0);
    });
    return button;
  });
  $('examples').hidden = !found.length;
  $('examples').replaceChildren(element('span', { name: 'faint', text: 'Try' }), ...buttons);
}

// Events

function typed(wait = WAIT) {
  const limit = state.settings.charLimit;
  $('count').textContent = `${$('source').value.length} of ${limit}`;
  $('count').classList.toggle('wrong', $('source').value.length > limit);
  clearTimeout(state.timer);
  state.timer = setTimeout(translate, wait);
}

function changedLanguages() {
  const source = state.languages.find((language) => language.code === $('from').value);
  const targets = new Set(source ? source.targets : state.settings.models.map((model) => model.target));
  const choices = state.languages.filter((language) => targets.has(language.code)).map((language) => [language.code, language.name]);
  fill($('to'), choices, $('to').value);
  const back = state.languages.find((language) => language.code === $('to').value);
  $('swap').disabled = $('from').value === 'auto' || !back?.targets.includes($('from').value);
  showModels();
  typed(0);
}

function swap() {
  const text = state.results.values().next().value?.translatedText;
  const [from, to] = [$('from').value, $('to').value];
  $('from').value = to;
  changedLanguages();
  $('to').value = from;
  if (text) $('source').value = text;
  changedLanguages();
}

/** The URL fragment holds text and languages; browsers do not send it. */
function remember() {
  const kept = new URLSearchParams({ from: $('from').value, to: $('to').value, q: $('source').value });
  const address = $('source').value ? `#${kept}` : location.pathname;
  history.replaceState(null, '', address);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  if ([...$('from').options].some((option) => option.value === kept.get('from'))) $('from').value = kept.get('from');
  changedLanguages();
  if ([...$('to').options].some((option) => option.value === kept.get('to'))) $('to').value = kept.get('to');
  if (kept.has('q')) $('source').value = kept.get('q');
  changedLanguages();
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
  [state.settings, state.languages] = await Promise.all(['frontend/settings', 'languages'].map((path) => fetch(path).then((answer) => answer.json())));
  $('key-field').hidden = !state.settings.keyRequired;
  const sources = state.languages.filter((language) => language.targets.length).map((language) => [language.code, language.name]);
  fill($('from'), [['auto', state.settings.detection ? 'Detect language' : 'Any language']].concat(sources), sources.length === 1 ? sources[0][0] : 'auto');
  $('theme').addEventListener('click', nextTheme);
  $('swap').addEventListener('click', swap);
  $('source').addEventListener('input', () => typed());
  $('source').addEventListener('keydown', (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && typed(0));
  for (const id of ['from', 'to']) $(id).addEventListener('change', changedLanguages);
  for (const id of ['kind', 'sentence']) $(id).addEventListener('change', () => look(state.running?.signal).catch((error) => say(error.message, true)));
  $('key').addEventListener('change', () => typed(0));
  $('models').addEventListener('change', () => { limitModels(); typed(0); });
  $('settings').addEventListener('submit', (event) => event.preventDefault());
  $('link').addEventListener('click', () => { remember(); navigator.clipboard.writeText(location.href).then(() => say('Link copied.'), () => say(location.href)); });
  for (const box of [$('read'), $('results')]) {
    box.addEventListener('mouseover', point);
    box.addEventListener('focusin', point);
    box.addEventListener('mouseleave', rest);
    box.addEventListener('focusout', dark);
    box.addEventListener('keydown', walk);
  }
  window.addEventListener('hashchange', recall);
  recall();
}

begin().catch((error) => say(`The server does not answer: ${error.message}`, true));
