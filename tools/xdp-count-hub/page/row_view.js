// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One row: what is known of it, and its packets a second since a minute before it was opened.
import { described } from "./description.js";
import { keepRows, setText } from "./elements.js";
import { ago, grouped, short } from "./format.js";
import { LineChart, span } from "./line_chart.js";
import { ratesOf } from "./rates.js";

// A row by its addresses, as it stands in the page's address.
export const rowKey = (row) => [row.src, row.dst].filter((end) => end).join(">");

export class RowView {
  #agent = "";
  #key = "";
  #points = []; // [time, [packets a second]]
  #chart;
  #facts;

  constructor(canvas, facts) {
    this.#chart = new LineChart(canvas, [{ name: "packets/s", colour: "ipv4" }]);
    this.#facts = facts;
  }

  open(agent, key) {
    if (agent === this.#agent && key === this.#key) return;
    this.#agent = agent;
    this.#key = key;
    this.#points = [];
    this.#facts.replaceChildren();
    this.#chart.show([]);
  }

  refuse(message) {
    this.#say([["Refused", message]]);
  }

  // Of an answer with this row in it or, where nothing is counted for it, without.
  update({ rows, slices, time, addresses }) {
    const row = rows.find((candidate) => rowKey(candidate) === this.#key);
    if (!row) return this.#say([["Counted", "nothing, or it made room for others"]]);
    this.#add(row, slices, time);
    const date = (of) => `${new Date(of).toLocaleString(undefined, { hourCycle: "h23" })} (${ago(of, time)})`;
    const known = [["Source known as", row.src], ["Destination known as", row.dst]].map(([name, end]) => [name, described(addresses[end])]);
    this.#say([
      ["Packets", grouped(row.packets)],
      ["Bytes", grouped(row.bytes)],
      ["Packets/s", short(row.pps)],
      ["Bits/s", short(row.bps)],
      ["First seen", date(row.first)],
      ["Last seen", date(row.last)],
      ...known.filter(([, text]) => text),
    ]);
  }

  // The minute that the agent knows of comes first; where the clock was set back, it comes again.
  #add(row, slices, time) {
    const last = this.#points.length ? this.#points[this.#points.length - 1][0] : 0;
    if (time < last) this.#points = [];
    if (this.#points.length === 0) {
      const rates = ratesOf(row, slices);
      let end = time;
      const points = [];
      for (let i = rates.length - 1; i >= 0; --i) {
        points.unshift([end, [rates[i]]]);
        end -= slices[slices.length - rates.length + i] * 1000;
      }
      this.#points = points;
    } else if (time > last) {
      this.#points.push([time, [row.pps]]);
    }
    this.#points = this.#points.filter(([of]) => of >= time - span);
    const first = this.#points.length ? this.#points[0][0] : time;
    this.#chart.show(this.#points, Math.max(time - first, 60_000));
  }

  #say(facts) {
    keepRows(
      this.#facts,
      facts,
      ([name]) => name,
      ([name]) => {
        const fact = document.createElement("div");
        fact.append(document.createElement("dt"), document.createElement("dd"));
        fact.firstElementChild.textContent = name;
        return fact;
      },
      (fact, [, value]) => setText(fact.lastElementChild, value),
    );
  }
}
