// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* global Chart */
// Lines over time, drawn by Chart.js in the colours of the page.
import { brief, clock, hourAndMinute, short } from "./format.js";

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
    this.#chart = new Chart(canvas, {
      type: "line",
      data: { datasets: lines.map(({ name }) => ({ label: name, data: [], borderWidth: 1.5, pointRadius: 0, tension: 0 })) },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { type: "linear", afterBuildTicks: wholeMinutes, ticks: { callback: (time) => hourAndMinute(time), maxRotation: 0, autoSkipPadding: 24 } },
          y: { beginAtZero: true, ticks: { callback: (value) => brief(value) } },
        },
        plugins: {
          tooltip: { callbacks: { title: ([item]) => clock(item.parsed.x), label: (item) => `${item.dataset.label} ${short(item.parsed.y)}` } },
        },
      },
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  // points: [[time, [value of each line]]], the newest last; shown: how many ms of them.
  show(points, shown = span) {
    this.#points = points;
    this.#shown = shown;
    this.#draw();
  }

  #draw() {
    const style = getComputedStyle(document.documentElement);
    const points = this.#points;
    const several = this.#lines.length > 1;
    this.#chart.data.datasets.forEach((dataset, i) => {
      dataset.data = points.map(([time, values]) => ({ x: time, y: values[i] }));
      dataset.borderColor = dataset.backgroundColor = style.getPropertyValue(`--${this.#lines[i].colour}`);
      dataset.hidden = several && !points.some(([, values]) => values[i] > 0);
    });
    const { x, y } = this.#chart.options.scales;
    const newest = points.length ? points[points.length - 1][0] : Date.now();
    x.min = newest - this.#shown;
    x.max = newest;
    for (const axis of [x, y]) {
      axis.ticks.color = style.getPropertyValue("--quiet");
      axis.grid = { color: style.getPropertyValue("--line") };
    }
    // A click on a name would hide its line, and the name with it.
    this.#chart.options.plugins.legend = {
      display: several,
      labels: { color: style.getPropertyValue("--text"), filter: (item, data) => !data.datasets[item.datasetIndex].hidden },
      onClick: () => {},
    };
    this.#chart.update("none");
  }
}
