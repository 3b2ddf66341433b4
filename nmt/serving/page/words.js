// Words, their pieces, and the words of the other side that they rest on.

import { $, element } from './dom.js';

const END = '</s>';
const START = '▁';

/** The indices of the pieces of each word; an end is left out. */
export function grouped(pieces) {
  const words = [];
  pieces.forEach((piece, place) => {
    if (piece === END) return;
    if (piece.startsWith(START) || !words.length || pieces[place - 1] === END) words.push([]);
    words.at(-1).push(place);
  });
  return words;
}

/** The text of pieces; a character that training has not seen is spelled in bytes, such as `<0xF0>`. */
export function spelled(pieces) {
  const bytes = pieces.flatMap((piece) => {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece);
    return byte ? [parseInt(byte[1], 16)] : [...new TextEncoder().encode(piece.replaceAll(START, ' '))];
  });
  return new TextDecoder().decode(new Uint8Array(bytes)).trim();
}

/** The indices of the pieces of each word of a text; `spans` are the places of the pieces, in characters. */
function placed(text, spans) {
  let end = 0;
  return text.split(/(\s+)/).flatMap((part) => {
    const start = end;
    end += [...part].length;
    return part.trim() ? [spans.flatMap(([first, last], place) => (first < end && last > start ? [place] : []))] : [];
  });
}

/** How much each target word rests on each source word, from 0 to 1: by the heatmap of this sentence if there is one, else by the alignment. */
function links(sentence, view) {
  const source = placed(sentence.source, sentence.source_spans);
  const target = placed(sentence.text, sentence.spans);
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
export function words(text, sentence) {
  return text.split(/(\s+)/).filter(Boolean).map((part) => {
    if (!part.trim()) return part;
    const word = element('span', { name: 'word', text: part });
    word.dataset.sentence = sentence;
    return word;
  });
}

export function numbered(box) {
  const counts = {};
  for (const word of box.querySelectorAll('.word')) {
    const sentence = word.dataset.sentence;
    word.dataset.word = counts[sentence] = (counts[sentence] ?? -1) + 1;
    word.tabIndex = -1;
  }
  const first = box.querySelector('.word');
  if (first) first.tabIndex = 0;
}

/** Lights what a word under the pointer or the focus rests on; `results` and `view` are functions of the page. */
export function lighting(box, results, view) {
  const point = (event) => {
    const word = event.target.closest?.('.word');
    dark();
    if (!word) return;
    word.classList.add('here');
    lights(word, results(), view);
  };
  box.addEventListener('mouseover', point);
  box.addEventListener('focusin', point);
  box.addEventListener('mouseleave', () => point({ target: document.activeElement })); // the focused word again
  box.addEventListener('focusout', dark);
  box.addEventListener('keydown', walk);
}

function lights(word, results, view) {
  const { sentence, word: place } = word.dataset;
  const card = word.closest('.card');
  for (const [name, result] of results) {
    if (card && card.dataset.model !== name) continue;
    const details = result.details[sentence];
    const shown = document.querySelector(`.card[data-model="${CSS.escape(name)}"]`);
    if (!details || !shown) continue;
    const found = links(details, view(name, Number(sentence)));
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
