// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets or bits a second of each class of an interface over the last ten minutes.
import { short } from "./format.js";
import { LineChart, span } from "./line_chart.js";

// In the order of the rates.
export const classes = [
  { name: "IPv4", key: "ipv4", colour: "ipv4" },
  { name: "IPv6", key: "ipv6", colour: "ipv6" },
  { name: "ARP", key: "arp", colour: "arp" },
  { name: "other", key: "other", colour: "other" },
  { name: "malformed", key: "malformed", colour: "malformed" },
];

export class TrafficChart {
  #points = []; // [time, pps of each class, bps of each class]
  #of = ""; // whose they are
  #unit = "pps";
  #agent = "";
  #chart;
  #text;

  constructor(canvas, text) {
    this.#chart = new LineChart(canvas, classes);
    this.#text = text;
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
    const known = this.#of === this.#agent ? this.#points : [];
    const points = known.map(([time, pps, bps]) => [time, this.#unit === "pps" ? pps : bps]);
    this.#chart.show(points);
    const rates = points.length ? points[points.length - 1][1] : [];
    this.#text.textContent = points.length
      ? `Now: ${classes.map(({ name }, i) => `${name} ${short(rates[i])}`).join(", ")} ${this.#unit === "pps" ? "packets/s" : "bits/s"}`
      : "Nothing has come yet.";
  }
}
