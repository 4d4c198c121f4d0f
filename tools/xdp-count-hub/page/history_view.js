// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What was recorded of an interface: its classes over a day or a year, and the rows of a range of
// that which somebody chooses.
import { cell, keepRows, setText } from "./elements.js";
import { dayAndTime, duration, grouped } from "./format.js";
import { HistoryChart } from "./history_chart.js";
import { askHistory, isRecorded, recordedName } from "./history_source.js";
import { classes } from "./traffic_chart.js";

const hour = 3_600_000; // ms
const minute = 60_000;
const mostRows = 50;

// Packets a second in each step. In a double they are near enough for a picture.
const rateOf = (packets, { from, to }) => (Number(packets) * 1000) / Math.max(1, to - from);

function stepsOf(lines, packetsOf) {
  return lines.map((line) => {
    const time = { from: Date.parse(line.from), to: Date.parse(line.to) };
    return { ...time, rates: packetsOf(line).map((packets) => rateOf(packets, time)) };
  });
}

const inputTime = (time) => {
  const local = new Date(time - new Date(time).getTimezoneOffset() * minute);
  return local.toISOString().slice(0, 19);
};

export class HistoryView {
  #section;
  #chart;
  #body;
  #form;
  #text;
  #error;
  #agent = "";
  #span = 24 * hour;
  #range = null; // that is chosen: {from, to}
  #asking = null; // ends what was asked before
  #refresh = 0; // of a timer
  #rowAddress;

  // rowAddress(agent, row): where a row is shown.
  constructor(section, rowAddress) {
    this.#section = section;
    this.#rowAddress = rowAddress;
    this.#chart = new HistoryChart(section.querySelector("canvas"), classes, (from, to) => this.#choose(from, to));
    this.#body = section.querySelector("tbody");
    this.#form = section.querySelector("form");
    [this.#text, this.#error] = [section.querySelector(".quiet"), section.querySelector(".error")];
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", (event) => {
      if (event.target.name === "span") {
        this.#span = Number(event.target.value) * hour;
        this.#range = null;
        this.#ask();
      } else {
        const [from, to] = ["from", "to"].map((name) => new Date(this.#form.elements[name].value).getTime());
        if (from < to) this.#choose(from, to);
      }
    });
  }

  // Of this agent, or of none.
  show(agent) {
    this.#section.hidden = !agent;
    if ((agent ?? "") === this.#agent) return;
    this.#agent = agent ?? "";
    this.#range = null;
    this.#ask();
  }

  // While nobody sees it, nothing is asked.
  pause() {
    clearTimeout(this.#refresh);
    this.#asking?.abort();
  }

  resume() {
    if (this.#agent) this.#ask();
  }

  #choose(from, to) {
    this.#range = { from, to };
    this.#ask();
  }

  async #ask() {
    this.pause();
    if (!this.#agent) return;
    const asking = new AbortController();
    this.#asking = asking;
    const now = Date.now();
    const range = this.#range ?? { from: now - this.#span, to: now };
    const agent = recordedName(this.#agent);
    const fields = (time) => ({ agent, from: new Date(time.from).toISOString(), to: new Date(time.to).toISOString() });
    try {
      if (!(await isRecorded(agent, asking.signal))) throw new Error("Nothing is recorded of this interface yet.");
      const shown = { from: now - this.#span, to: now };
      const [totals, top] = await Promise.all([
        askHistory("totals", fields(shown), asking.signal),
        askHistory("top", { ...fields(range), top: mostRows }, asking.signal),
      ]);
      if (asking.signal.aborted) return;
      setText(this.#error, "");
      this.#chart.show(stepsOf(totals.lines, (line) => classes.map(({ key }) => line.classes[key].packets)), shown.from, shown.to);
      this.#chart.mark(this.#range);
      this.#showRows(top);
      for (const name of ["from", "to"]) {
        const field = this.#form.elements[name];
        if (field !== document.activeElement) field.value = inputTime(range[name]);
      }
    } catch (error) {
      if (asking.signal.aborted) return;
      setText(this.#error, error.message);
    }
    this.#refresh = setTimeout(() => this.#ask(), minute);
  }

  #showRows(top) {
    keepRows(
      this.#body,
      top.rows,
      ({ address, peer }) => `${address}>${peer ?? ""}`,
      () => {
        const line = document.createElement("tr");
        line.append(cell("", "address"), cell("", "number total"), cell("", "number total"));
        line.cells[0].append(document.createElement("a"));
        return line;
      },
      (line, { address, peer, packets, bytes }) => {
        const link = line.cells[0].firstElementChild;
        setText(link, peer ? `${address} > ${peer}` : address);
        link.href = this.#rowAddress(this.#agent, peer ? `${address}>${peer}` : address);
        setText(line.cells[1], grouped(packets));
        setText(line.cells[2], grouped(bytes));
      },
    );
    const { frames, rest } = top.totals;
    const [covered] = top.covered;
    const gone = top.gaps.map(({ from, to, seconds, counted }) =>
      counted ? `nobody recorded for ${duration(seconds)} before ${dayAndTime(Date.parse(to))}` : `the agent began anew at ${dayAndTime(Date.parse(to))}, and what it counted last before is not known`,
    );
    const parts = [
      covered ? `From ${dayAndTime(Date.parse(covered.from))} to ${dayAndTime(Date.parse(covered.to))}: ${grouped(frames.packets)} frames, ${grouped(frames.bytes)} bytes` : "Nothing was recorded in this time",
      top.left_out.rows === "0" ? "" : `${grouped(top.left_out.rows)} rows had less than these`,
      ...["ipv4", "ipv6"].filter((family) => rest[family].packets !== "0").map((family) => `${grouped(rest[family].packets)} packets of ${family} are in no row`),
      ...gone.slice(0, 3),
    ];
    setText(this.#text, parts.filter((part) => part).join("; "));
  }
}

// One row's year, in days.
export class RowHistory {
  #chart;
  #figure;
  #asked = "";

  constructor(figure) {
    this.#figure = figure;
    this.#chart = new HistoryChart(figure.querySelector("canvas"), [{ name: "packets/s", colour: "ipv4" }]);
  }

  async show(agent, row) {
    const key = `${agent} ${row}`;
    if (key === this.#asked) return;
    this.#asked = key;
    const now = Date.now();
    const from = now - 365 * 24 * hour;
    const words = this.#figure.querySelector("figcaption");
    try {
      if (!(await isRecorded(recordedName(agent)))) return;
      const answer = await askHistory("row", { agent: recordedName(agent), address: row.split(">")[0], from: new Date(from).toISOString() });
      if (key !== this.#asked) return;
      this.#figure.hidden = false;
      const first = answer.lines.length ? Date.parse(answer.lines[0].from) : from;
      this.#chart.show(stepsOf(answer.lines, (line) => [line.packets]), Math.max(from, first), now);
      const packets = answer.lines.reduce((sum, line) => sum + BigInt(line.packets), 0n);
      const least = answer.lines.some((line) => line.at_least) ? "at least " : "";
      setText(words, `Recorded since ${dayAndTime(first)}: ${least}${grouped(String(packets))} packets`);
    } catch (error) {
      if (key === this.#asked) setText(words, error.message);
    }
  }
}
