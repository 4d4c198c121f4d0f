// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The new sources of the agent that is looked at, or of whatever else its rows are: the newest, and
// how many came.
import { keepRows, setText } from "./elements.js";
import { ago, clock, exact, grouped } from "./format.js";
import { rowKey } from "./row_view.js";

const titles = { source: "New sources", destination: "New destinations", pair: "New pairs" };

export class NewSources {
  #section;
  #addressOf;
  #agent = null;
  #now = 0;
  #seen = null; // of one agent

  // addressOf(agent's id, row's key): where the row is shown on its own.
  constructor(section, addressOf) {
    this.#section = section;
    this.#addressOf = addressOf;
  }

  add(seen) {
    this.#seen = seen;
    this.#draw();
  }

  // now: the time of the agents' host.
  show(agent, now) {
    this.#agent = agent;
    this.#now = now;
    this.#draw();
  }

  #draw() {
    const agent = this.#agent;
    this.#section.hidden = !agent?.events;
    if (!agent?.events) return;
    const seen = this.#seen?.agent === agent.id ? this.#seen : null;
    const newest = seen?.newest ?? [];
    setText(this.#section.querySelector("h2"), titles[agent.by]);
    keepRows(
      this.#section.querySelector("ol"),
      newest,
      (source) => `${source.time} ${rowKey(source)}`,
      (source) => this.#makeItem(source),
      (item, source) => setText(item.firstElementChild, ago(source.time, this.#now)),
    );
    setText(this.#section.querySelector("p"), seen ? summary(seen) : "");
  }

  #makeItem(source) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = time.title = exact(source.time);
    const link = document.createElement("a");
    link.href = this.#addressOf(this.#agent.id, rowKey(source));
    link.textContent = rowKey(source).replace(">", " to ");
    item.append(time, " ", link);
    return item;
  }
}

function summary({ since, came, lost, newest }) {
  const hidden = BigInt(came) - BigInt(newest.length);
  return [
    `${came === "0" ? "None" : grouped(came)} since ${clock(since)}`,
    hidden > 0n ? `, ${grouped(String(hidden))} of them not shown` : "",
    lost === "0" ? "" : `; ${grouped(lost)} more were lost, since they came too fast`,
  ].join("");
}
