// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* global Chart */
// Packets or bits a second of each class over the last ten minutes, drawn by Chart.js.
import { brief, clock, hourAndMinute, short } from "./format.js";

const classes = ["ipv4", "ipv6", "arp", "other", "malformed"]; // in the order of the rates
const names = { ipv4: "IPv4", ipv6: "IPv6", arp: "ARP", other: "other", malformed: "malformed" };
const minute = 60_000; // ms
const span = 10 * minute;

// Every second whole minute, so that the lines stand still in the picture of their time.
function wholeMinutes(axis) {
  axis.ticks = [];
  for (let time = Math.ceil(axis.min / (2 * minute)) * 2 * minute; time <= axis.max; time += 2 * minute) axis.ticks.push({ value: time });
}

export class TrafficChart {
  #points = []; // [time, pps of each class, bps of each class]
  #of = ""; // whose they are
  #unit = "pps";
  #agent = "";
  #chart;
  #text;

  constructor(canvas, text) {
    this.#text = text;
    this.#chart = new Chart(canvas, {
      type: "line",
      data: { datasets: classes.map((name) => ({ label: names[name], data: [], borderWidth: 1.5, pointRadius: 0, tension: 0 })) },
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

  // The points that are new or, where they are the whole history, all. Of one agent: another one is
  // told of as a whole.
  add(agent, whole, points) {
    const known = whole || agent !== this.#of ? points : [...this.#points, ...points];
    const first = known.length ? known[known.length - 1][0] - span : 0;
    this.#of = agent;
    this.#points = known.filter(([time]) => time >= first);
    this.#draw();
  }

  show(agent) {
    if (agent === this.#agent) return;
    this.#agent = agent;
    this.#draw();
  }

  setUnit(unit) {
    this.#unit = unit;
    this.#draw();
  }

  #draw() {
    const style = getComputedStyle(document.documentElement);
    const points = this.#of === this.#agent ? this.#points : [];
    const of = this.#unit === "pps" ? 1 : 2;
    this.#chart.data.datasets.forEach((dataset, i) => {
      dataset.data = points.map((point) => ({ x: point[0], y: point[of][i] }));
      dataset.borderColor = dataset.backgroundColor = style.getPropertyValue(`--${classes[i]}`);
      dataset.hidden = !points.some((point) => point[of][i] > 0);
    });
    const { x, y } = this.#chart.options.scales;
    const newest = points.length ? points[points.length - 1][0] : Date.now();
    x.min = newest - span;
    x.max = newest;
    for (const axis of [x, y]) {
      axis.ticks.color = style.getPropertyValue("--quiet");
      axis.grid = { color: style.getPropertyValue("--line") };
    }
    this.#chart.options.plugins.legend = { labels: { color: style.getPropertyValue("--text"), filter: (item, data) => !data.datasets[item.datasetIndex].hidden }, onClick: () => {} };
    this.#chart.update("none");
    const rates = points.length ? points[points.length - 1][of] : [];
    this.#text.textContent = points.length
      ? `Now: ${classes.map((name, i) => `${names[name]} ${short(rates[i])}`).join(", ")} ${this.#unit === "pps" ? "packets/s" : "bits/s"}`
      : "Nothing has come yet.";
  }
}
