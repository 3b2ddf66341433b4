// Heatmaps as tables of shades; each cell also has its value as text, for screen readers.

import { element } from './dom.js';
import { grouped, spelled } from './words.js';

const DENSE = 18; // columns from which on cells are smaller
const TINY = 28; // and smaller still
const SUM = (values) => values.reduce((sum, value) => sum + value, 0);
const MEAN = (values) => SUM(values) / values.length;

/** What a kind of picture shows, and how the values of pieces become those of words. */
const KINDS = {
  attention: {
    caption: 'Attention: how much the model looked at each word of the text while it wrote a word. A row adds up to 1.',
    row: MEAN,
    column: SUM,
  },
  occlusion: {
    caption: 'Occlusion: how much less sure the model is of a word if a word of the text is taken away.',
    row: SUM,
    column: SUM,
  },
  gates: { caption: 'Gates: how far the encoder opens to each word, from 0 closed to 1 open.', column: MEAN },
};

/** A picture of pieces, or of whole words where a text has several. */
export function heatmap(view, pieces) {
  const shown = pieces || grouped(view.source_pieces).length < 2 ? asPieces(view) : asWords(view);
  const kind = KINDS[view.kind];
  const most = Math.max(...view.values.flat());
  const top = view.kind === 'occlusion' ? Math.min(Math.max(most, 0.05), 5) : 1;
  const heads = shown.columns.map((name) => element('th', { scope: 'col', children: [element('span', { text: name })] }));
  const last = element('th', { text: shown.last, title: shown.meaning });
  const rows = shown.rows.map((name, row) => {
    const cells = shown.values[row].map((value, column) => cell(value, top, `${name}, ${shown.columns[column]}: ${value.toFixed(3)}`));
    return element('tr', { children: [element('th', { scope: 'row', text: name }), ...cells, element('td', { name: 'number', text: shown.numbers[row] })] });
  });
  const caption = kind?.caption ?? view.kind;
  const size = shown.columns.length;
  const children = [
    element('caption', { name: 'aside', text: caption }),
    element('thead', { children: [element('tr', { children: [element('td'), ...heads, last] })] }),
    element('tbody', { children: rows }),
  ];
  const table = element('table', { children, name: `${size > DENSE ? 'dense' : ''} ${size > TINY ? 'tiny' : ''}` });
  const told = element('p', { name: 'faint', text: caption, title: view.scale, ariaHidden: 'true' }); // the table has it as its caption
  return [told, element('div', { name: 'scroll', tabIndex: 0, children: [table] })];
}

function asPieces(view) {
  const gates = view.kind === 'gates';
  const numbers = (gates ? view.mean : view.scores).map((number) => number.toFixed(2));
  const meaning = gates ? 'the mean of the row' : 'the log-probability that the model gave this piece; 0 is certain';
  return { ...view, numbers, last: gates ? 'mean' : 'log p', meaning };
}

function asWords(view) {
  const kind = KINDS[view.kind];
  const columns = wordsOf(view.source_pieces, view.columns);
  const gates = view.kind === 'gates';
  const rows = gates ? view.rows.map((name, row) => [name, [row]]) : wordsOf(view.pieces, view.rows);
  const values = rows.map(([, inRow]) => columns.map(([, inColumn]) => (kind.row ?? MEAN)(inRow.map((row) => kind.column(inColumn.map((column) => view.values[row][column]))))));
  const numbers = rows.map(([, inRow]) => (gates ? view.mean[inRow[0]].toFixed(2) : `${Math.round(100 * Math.exp(SUM(inRow.map((row) => view.scores[row]))))} %`));
  const meaning = gates ? 'the mean of the row' : 'how probable the model found this word after those before it';
  return { rows: rows.map(([name]) => name), columns: columns.map(([name]) => name), values, numbers, last: gates ? 'mean' : 'sure', meaning };
}

/** The name of each word and the places of its pieces; the end of a sentence stands alone, if the picture has it. */
function wordsOf(pieces, labels) {
  const words = grouped(pieces).map((places) => [spelled(places.map((place) => pieces[place])), places]);
  const ends = labels.flatMap((label, place) => (pieces[place] === '</s>' ? [[label, [place]]] : []));
  return [...words, ...ends].sort((one, other) => one[1][0] - other[1][0]);
}

function cell(value, top, title) {
  const shade = element('i');
  shade.style.opacity = Math.min(Math.max(value / top, 0), 1).toFixed(3);
  return element('td', { name: 'cell', title, children: [shade, element('span', { name: 'aside', text: value.toFixed(2) })] });
}
