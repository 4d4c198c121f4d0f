// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The document, changed no more than it has to be: what somebody reads, selects or has the focus on
// stays where it is. Texts are only ever set as texts.

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function cell(text, className = "") {
  const made = document.createElement("td");
  made.className = className;
  made.textContent = text;
  return made;
}

// Makes the rows of `body` those of `items`: make(item) gives a row, and update(row, item) has it
// say what the item does. A row stays the same element as long as its key does.
export function keepRows(body, items, keyOf, make, update) {
  const before = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const key = keyOf(item);
    const row = before.get(key) ?? make(item);
    before.delete(key);
    row.dataset.key = key;
    update(row, item);
    return row;
  });
  // Those that go, go first: the others stay in their places then.
  const stay = new Set(rows);
  for (const row of [...body.children]) if (!stay.has(row)) row.remove();
  let place = body.firstElementChild;
  for (const row of rows) {
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
  }
}

export function makeSvg(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

// A line through values against their highest, the newest at the right; where there could be `most`
// values and are fewer, it begins later. `label` says the same in words.
export function trendLine(values, most, label) {
  const width = 120;
  const height = 20;
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "trend", role: "img", "aria-label": label });
  const highest = Math.max(...values, 1e-9);
  const step = width / (most - 1);
  const left = width - step * (values.length - 1);
  const line = makeSvg("polyline", {
    points: values.map((value, i) => `${(left + i * step).toFixed(1)},${(height - 1 - (value / highest) * (height - 2)).toFixed(1)}`).join(" "),
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.5",
    "vector-effect": "non-scaling-stroke",
  });
  svg.append(line);
  return svg;
}
