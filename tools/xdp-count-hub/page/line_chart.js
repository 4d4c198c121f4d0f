// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The lines of the last minutes.
import { drawChart, newChart } from "./chart_base.js";
import { clock, hourAndMinute, short } from "./format.js";

const minute = 60_000; // ms
export const span = 10 * minute; // what is kept, and shown at most

// Whole minutes, so that the lines stand still in the picture of their time.
function wholeMinutes(axis) {
  const step = axis.max - axis.min > 5 * minute ? 2 * minute : minute;
  axis.ticks = [];
  for (let time = Math.ceil(axis.min / step) * step; time <= axis.max; time += step) axis.ticks.push({ value: time });
}

export class LineChart {
  #lines;
  #chart;
  #points = [];
  #shown = span;

  // lines: [{name, colour}], colour being one of the page's. A line without any value above 0 is
  // left out where there are others.
  constructor(canvas, lines) {
    this.#lines = lines;
    const own = {
      dataset: { tension: 0 },
      interaction: { mode: "index" },
      x: { afterBuildTicks: wholeMinutes, ticks: { callback: (time) => hourAndMinute(time), autoSkipPadding: 24 } },
      tooltip: { title: ([item]) => clock(item.parsed.x), label: (item) => `${item.dataset.label} ${short(item.parsed.y)}` },
    };
    this.#chart = newChart(canvas, lines, own, () => this.#draw());
  }

  // points: [[time, [value of each line]]], the newest last; shown: how many ms of them.
  show(points, shown = span) {
    this.#points = points;
    this.#shown = shown;
    this.#draw();
  }

  #draw() {
    const points = this.#points;
    const { x } = this.#chart.options.scales;
    x.max = points.length ? points[points.length - 1][0] : Date.now();
    x.min = x.max - this.#shown;
    const data = (i) => points.map(([time, values]) => ({ x: time, y: values[i] }));
    drawChart(this.#chart, this.#lines, data, (i) => points.some(([, values]) => values[i] > 0));
  }
}
