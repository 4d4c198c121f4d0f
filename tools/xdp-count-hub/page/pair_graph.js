// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Who sends to whom: sources at the left, destinations at the right, and a line for each pair, the
// wider the more packets a second it sends.
import { keepRows, makeSvg, setText } from "./elements.js";
import { short } from "./format.js";
import { rowKey } from "./row_view.js";

const most = 30; // pairs
const inWords = 5; // of them
const widest = 12; // px, of a line
const letter = 7.3; // px, of the labels' font
const space = 8; // px, between a label and its lines

// Addresses keep their places when what they send changes.
const { compare } = new Intl.Collator("en", { numeric: true });
const endsOf = (rows, end) => [...new Set(rows.map((row) => row[end]))].sort(compare);

const pairText = (row) => `${row.src} to ${row.dst}: ${short(row.pps)} packets/s`;

// What differs between addresses that are alike is mostly at their ends.
function shortened(text, letters) {
  if (text.length <= letters) return text;
  const head = Math.ceil((letters - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(head + 1 - letters)}`;
}

function words(rows) {
  if (rows.length === 0) return "No pairs";
  const more = rows.length > inWords ? [`and ${rows.length - inWords} more, as in the table`] : [];
  return `Who sends to whom: ${[...rows.slice(0, inWords).map(pairText), ...more].join("; ")}`;
}

export class PairGraph {
  #svg;
  #lines = makeSvg("g");
  #labels = makeSvg("g");
  #rows = [];

  constructor(svg) {
    this.#svg = svg;
    svg.append(this.#lines, this.#labels);
    new ResizeObserver(() => this.#draw()).observe(svg);
  }

  // The first of these rows.
  show(rows) {
    this.#rows = rows.slice(0, most);
    this.#draw();
  }

  #draw() {
    const rows = this.#rows;
    const { clientWidth: width, clientHeight: height } = this.#svg;
    if (width === 0) return; // it is hidden
    const sources = endsOf(rows, "src");
    const destinations = endsOf(rows, "dst");
    // At least a fifth is for the lines.
    const letters = Math.floor((width * 0.4 - space) / letter);
    const longest = (ends) => Math.min(letters, Math.max(0, ...ends.map((end) => end.length))) * letter + space;
    const left = longest(sources);
    const right = width - longest(destinations);
    const heights = (ends) => new Map(ends.map((end, i) => [end, ((i + 0.5) * height) / ends.length]));
    const from = heights(sources);
    const to = heights(destinations);
    const middle = (left + right) / 2;
    const highest = Math.max(...rows.map((row) => row.pps), 1e-9);
    keepRows(
      this.#lines,
      rows,
      rowKey,
      (row) => {
        const line = makeSvg("path", { class: row.src.includes(":") ? "ipv6" : "ipv4" });
        line.append(makeSvg("title"));
        return line;
      },
      (line, row) => {
        line.setAttribute("d", `M${left} ${from.get(row.src)}C${middle} ${from.get(row.src)} ${middle} ${to.get(row.dst)} ${right} ${to.get(row.dst)}`);
        line.setAttribute("stroke-width", Math.max(1, (row.pps / highest) * widest).toFixed(1));
        setText(line.firstElementChild, pairText(row));
      },
    );
    const label = (x, anchor, places) => (end) => ({ end, x, anchor, y: places.get(end) });
    keepRows(
      this.#labels,
      [...sources.map(label(left - space, "end", from)), ...destinations.map(label(right + space, "start", to))],
      ({ end, anchor }) => `${anchor} ${end}`,
      ({ end, anchor }) => {
        const text = makeSvg("text", { "text-anchor": anchor, "dominant-baseline": "middle" });
        const title = makeSvg("title");
        title.textContent = end;
        text.append(makeSvg("tspan"), title);
        return text;
      },
      (text, { end, x, y }) => {
        text.setAttribute("x", x);
        text.setAttribute("y", y);
        setText(text.firstElementChild, shortened(end, letters));
      },
    );
    this.#svg.setAttribute("aria-label", words(rows));
  }
}
