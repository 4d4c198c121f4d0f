// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What fires of the rules in the hub's configuration, and what fired and ended last.
import { keepRows, setText } from "./elements.js";
import { ago, grouped, short } from "./format.js";

export class AlertsView {
  #section;
  #title;
  #firing;
  #recent;
  #alerts = null;

  constructor(section) {
    this.#section = section;
    this.#title = section.querySelector("h2");
    this.#firing = section.querySelector("ul");
    this.#recent = section.querySelector("ol");
  }

  set(alerts) {
    this.#alerts = alerts;
  }

  // `now`: by the hub's clock, in ms.
  show(now) {
    this.#section.hidden = this.#alerts === null;
    if (this.#alerts === null) return;
    const { count, firing, recent } = this.#alerts;
    setText(this.#title, count === 0 ? "Alerts: none" : `Alerts: ${grouped(String(count))}`);
    const lines = firing.map(({ rule, interface: name, subject, value, above, unit, since }) => ({
      key: `${rule}\n${name}\n${subject}\n${since}`,
      text: `${rule}: ${subject === name ? name : `${subject} on ${name}`}: ${short(value)} ${unit}, above ${short(above)}; it began ${ago(since, now)}`,
    }));
    if (count > firing.length) lines.push({ key: "more", text: `${grouped(String(count - firing.length))} more` });
    this.#fill(this.#firing, lines);
    this.#recent.parentElement.hidden = recent.length === 0;
    this.#fill(
      this.#recent,
      recent.map(({ time, text }, i) => ({ key: String(recent.length - i), text: `${ago(time, now)}: ${text}` })),
    );
  }

  #fill(list, lines) {
    keepRows(
      list,
      lines,
      ({ key }) => key,
      () => document.createElement("li"),
      (item, { text }) => setText(item, text),
    );
  }
}
