// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What was counted over a time, as steps: each as high as the packets a second in it, and as wide as
// it took. A range of it is chosen with the mouse or a finger.
import { drawChart, newChart } from "./chart_base.js";
import { dayAndTime, short } from "./format.js";

const least = 4; // pixels that are no slip of the hand

// Round times of the clock here, no more than there is room for.
function roundTimes(axis) {
  const minute = 60_000;
  const steps = [1, 2, 5, 10, 30, 60, 120, 360, 720, 1440, 2880, 7200, 14_400, 43_200, 86_400].map((minutes) => minutes * minute);
  const most = Math.max(2, Math.floor(axis.width / 110));
  const step = steps.find((candidate) => (axis.max - axis.min) / candidate <= most) ?? axis.max - axis.min;
  const offset = new Date(axis.min).getTimezoneOffset() * minute;
  axis.ticks = [];
  for (let time = Math.ceil((axis.min - offset) / step) * step + offset; time <= axis.max; time += step) axis.ticks.push({ value: time });
}

export class HistoryChart {
  #chart;
  #lines;
  #range; // an element over the chart
  #begin = null; // where a range is being drawn from, in pixels
  #steps = [];

  // lines: [{name, colour}]; choose(from, to) is called with a range that somebody has drawn.
  constructor(canvas, lines, choose = null) {
    this.#lines = lines;
    const own = {
      dataset: { stepped: "before", spanGaps: false },
      interaction: { mode: "nearest", axis: "x" },
      x: { afterBuildTicks: roundTimes, ticks: { callback: (time) => dayAndTime(time), autoSkip: false } },
      tooltip: { title: ([item]) => dayAndTime(item.parsed.x), label: (item) => `${item.dataset.label} ${short(item.parsed.y)} packets/s` },
    };
    this.#chart = newChart(canvas, lines, own, () => this.#draw());
    this.#range = document.createElement("div");
    this.#range.className = "range";
    this.#range.hidden = true;
    canvas.parentElement.append(this.#range);
    if (choose) this.#listen(canvas, choose);
  }

  // steps: [{from, to, rates}], each rate of a line, in the order of time; what is between two is
  // not known. from and to: what is shown.
  show(steps, from, to) {
    this.#steps = steps;
    this.#chart.options.scales.x.min = from;
    this.#chart.options.scales.x.max = to;
    this.#draw();
  }

  // The range that is chosen, or none.
  mark(range) {
    this.#range.hidden = !range;
    if (!range) return;
    const { left, right } = this.#chart.chartArea;
    const place = (time) => Math.min(right, Math.max(left, this.#chart.scales.x.getPixelForValue(time)));
    this.#cover(place(range.from), place(range.to));
  }

  #cover(a, b) {
    const { top, bottom } = this.#chart.chartArea;
    this.#range.hidden = false;
    Object.assign(this.#range.style, { left: `${Math.min(a, b)}px`, width: `${Math.max(1, Math.abs(b - a))}px`, top: `${top}px`, height: `${bottom - top}px` });
  }

  #listen(canvas, choose) {
    const place = (event) => {
      const { left, right } = this.#chart.chartArea;
      return Math.min(right, Math.max(left, event.clientX - canvas.getBoundingClientRect().left));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.#steps.length === 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#begin = place(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#begin !== null) this.#cover(this.#begin, place(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (this.#begin === null) return;
      const [a, b] = [this.#begin, place(event)].sort((x, y) => x - y);
      this.#begin = null;
      const time = (pixel) => Math.round(this.#chart.scales.x.getValueForPixel(pixel));
      if (b - a >= least) choose(time(a), time(b));
    });
    canvas.addEventListener("pointercancel", () => {
      this.#begin = null;
    });
  }

  #draw() {
    const data = (i) => {
      const points = [];
      let end = null;
      for (const { from, to, rates } of this.#steps) {
        if (from !== end) points.push({ x: from, y: NaN }, { x: from, y: rates[i] });
        points.push({ x: to, y: rates[i] });
        end = to;
      }
      return points;
    };
    drawChart(this.#chart, this.#lines, data, (i) => this.#steps.some(({ rates }) => rates[i] > 0));
  }
}
