// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The page: one stream of events from the hub, and what is shown of it. Where somebody is stands in
// the address behind #, so that it can be kept and sent: #/SOCKET?by=bps&prefix=192.0.2.0/24
import { AlertsView } from "./alerts_view.js";
import { cell, keepRows, setText, trendLine } from "./elements.js";
import { ago, clock, exact, grouped, short } from "./format.js";
import { described } from "./description.js";
import { HistoryView, RowHistory } from "./history_view.js";
import { NewSources } from "./new_sources.js";
import { PairGraph } from "./pair_graph.js";
import { ratesOf } from "./rates.js";
import { RowView, rowKey } from "./row_view.js";
import { TrafficChart } from "./traffic_chart.js";

const byId = (id) => document.getElementById(id);
const agentsBody = byId("agents").tBodies[0];
const rowsHead = byId("rows").tHead;
const rowsBody = byId("rows").tBodies[0];
const filters = byId("filters");
const chart = new TrafficChart(byId("chart"), byId("chart-text"));
const rowView = new RowView(byId("row-chart"), byId("row-facts"));
const alertsView = new AlertsView(byId("alerts"));
const historyView = new HistoryView(byId("past"), addressOfRow);
const rowHistory = new RowHistory(byId("row-past"));
const newSources = new NewSources(byId("new"), addressOfRow);
const pairGraph = new PairGraph(byId("graph").firstElementChild);
const mostRows = 500; // that the hub tells of

let stream = null;
let retry = 0; // of a timer
let heard = 0; // when something last came, by this clock
let agents = [];
let addresses = {}; // what is known of those that are shown
let lastRows = null; // that came by this stream

// Other parts of an address behind # are places in the document.
const isPlace = () => location.hash === "" || location.hash.startsWith("#/");

function place() {
  const [path, query] = (isPlace() ? location.hash : "").replace(/^#\/?/, "").split("?");
  let agent = path;
  try {
    agent = decodeURIComponent(path);
  } catch {
    // Somebody's own text: there is no such agent.
  }
  return { agent, query: new URLSearchParams(query) };
}

function addressOf(agent, query) {
  const text = String(query);
  return `#/${encodeURIComponent(agent)}${text ? `?${text}` : ""}`;
}

function addressOfRow(agent, row) {
  return addressOf(agent, new URLSearchParams({ row }));
}

function chosenAgent() {
  const { agent } = place();
  return agent ? agents.find((known) => known.id === agent) : agents[0];
}

function refuse(message) {
  if (place().query.has("row")) {
    rowView.refuse(message);
    return;
  }
  setText(byId("filter-error"), message);
  clearRows();
}

function clearRows() {
  rowsBody.replaceChildren();
  pairGraph.show([]);
  setText(byId("rows-text"), "");
}

function disconnect() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

// The query of the rows to show. Of one row it is its first address: of pairs there may be several
// with that, of which those that send most are answered.
function askedRows(query) {
  const row = query.get("row");
  const asked = new URLSearchParams(row ? { prefix: row.split(">")[0], top: mostRows } : query);
  if (asked.has("find")) asked.set("top", mostRows);
  asked.delete("find");
  return asked;
}

// Asks for what is shown now, and for nothing else; in a tab that nobody sees, for nothing. The
// browser connects again by itself, and says then what it had last.
function connect() {
  disconnect();
  lastRows = null;
  if (document.hidden) return;
  const { agent, query } = place();
  const asked = askedRows(query);
  if (agent) asked.set("agent", agent);
  const source = new EventSource(`api/stream?${asked}`);
  const on = (name, take) =>
    source.addEventListener(name, (event) => {
      if (source === stream) take(JSON.parse(event.data));
    });
  on("fleet", showFleet);
  on("history", ({ agent: of, whole, points }) => chart.add(of, whole, points));
  on("rows", (rows) => {
    lastRows = rows;
    showRows(rows);
  });
  // A name may come long before the agent's next tick.
  on("addresses", (known) => {
    addresses = known;
    byId("rows").classList.add("described");
    if (lastRows) showRows(lastRows);
  });
  on("alerts", (alerts) => alertsView.set(alerts));
  on("new_sources", (seen) => newSources.add(seen));
  on("refused", ({ message }) => refuse(message));
  // Where the hub has refused, the browser does not try again.
  source.onerror = () => {
    if (source === stream && source.readyState === EventSource.CLOSED) retry = setTimeout(connect, 5000);
  };
  stream = source;
}

function showFleet({ agents: now, time, recorded }) {
  heard = Date.now();
  agents = now;
  byId("no-agents").hidden = agents.length > 0;
  const chosen = chosenAgent();
  byId("no-such-agent").hidden = agents.length === 0 || chosen !== undefined;
  const row = place().query.get("row");
  byId("traffic").hidden = !chosen;
  byId("sources").hidden = !chosen || row !== null;
  byId("row").hidden = !chosen || row === null;
  keepRows(agentsBody, agents, (agent) => agent.id, makeAgentRow, (row, agent) => showAgent(row, agent, agent === chosen));
  showWarnings();
  alertsView.show(time);
  if (chosen) chart.show(chosen.id);
  historyView.show(recorded && chosen && row === null ? chosen.id : null);
  if (recorded && chosen && row !== null) rowHistory.show(chosen.id, row);
  newSources.show(chosen, time);
  showState();
}

function makeAgentRow(agent) {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  const link = document.createElement("a");
  link.href = `#/${encodeURIComponent(agent.id)}`;
  name.append(link);
  row.append(name);
  for (let i = 0; i < 7; ++i) row.append(cell("", "number"));
  row.append(cell(""));
  return row;
}

function showAgent(row, agent, isChosen) {
  row.setAttribute("aria-current", String(isChosen));
  setText(row.cells[0].firstElementChild, agent.interface);
  const texts = agent.up
    ? [short(agent.pps), short(agent.bps), grouped(agent.tracked), grouped(agent.established), grouped(agent.untracked), grouped(agent.evicted), grouped(agent.missed), agent.mode]
    : ["–", "–", "–", "–", "–", "–", "–", "no answer"];
  texts.forEach((text, i) => setText(row.cells[i + 1], text));
}

function showWarnings() {
  const warnings = agents.flatMap(({ id, interface: name, warnings: of }) =>
    of.map(({ what, more }) => ({ key: `${id} ${what}`, brief: `${name}: ${what}`, more })),
  );
  keepRows(
    byId("warnings"),
    warnings,
    (warning) => warning.key,
    () => document.createElement("li"),
    (item, { brief, more }) => setText(item, more ? `${brief}: ${more}` : brief),
  );
  // Numbers that change each second are not read out each second.
  setText(byId("announcement"), warnings.map(({ brief }) => brief).join(". "));
}

function showState() {
  const quiet = Date.now() - heard > 3500;
  setText(byId("state"), heard === 0 ? "connecting" : quiet ? `no news since ${clock(heard)}: connecting again` : "live");
  byId("state").classList.toggle("bad", quiet && heard > 0);
}

function columnsOf(by) {
  const ends = by === "pair" ? ["src", "dst"] : [by === "destination" ? "dst" : "src"];
  const titles = { src: "Source", dst: "Destination" };
  return [
    ...ends.map((end, i) => ({ title: titles[end], className: "address", text: (row) => row[end], opens: i === 0 })),
    { title: "Packets/s", className: "number", text: (row) => short(row.pps) },
    { title: "Bits/s", className: "number", text: (row) => short(row.bps) },
    { title: "Packets", className: "number total", text: (row) => grouped(row.packets) },
    { title: "Bytes", className: "number total", text: (row) => grouped(row.bytes) },
    { title: "Trend", className: "trend", trend: true },
    { title: "First seen", className: "", text: (row, now) => ago(row.first, now), title_of: (row) => exact(row.first) },
    { title: "Last seen", className: "", text: (row, now) => ago(row.last, now), title_of: (row) => exact(row.last) },
  ];
}

function trendText(rates, slices) {
  const seconds = slices.slice(-rates.length).reduce((sum, slice) => sum + slice, 0);
  return `at most ${short(Math.max(...rates))} packets/s in the last ${Math.round(seconds)} s`;
}

// Which rows have this text in an address, or in what is known of it.
function matching(rows, text) {
  const wanted = text.toLowerCase();
  const has = (address = "") => address.includes(wanted) || described(addresses[address]).toLowerCase().includes(wanted);
  return rows.filter(({ src, dst }) => has(src) || has(dst));
}

function showRows({ agent, by, rows, slices, time }) {
  if (agent !== chosenAgent()?.id) return;
  if (place().query.has("row")) {
    rowView.update({ rows, slices, time, addresses });
    return;
  }
  setText(byId("filter-error"), "");
  const columns = columnsOf(by);
  const find = place().query.get("find");
  const found = find ? matching(rows, find) : rows;
  if (rowsHead.dataset.by !== by) {
    rowsHead.dataset.by = by;
    setText(byId("rows-title"), { source: "Sources", destination: "Destinations", pair: "Pairs" }[by]);
    byId("rows").classList.toggle("pairs", by === "pair");
    const line = document.createElement("tr");
    for (const column of columns) {
      const title = document.createElement("th");
      title.scope = "col";
      title.className = column.className;
      title.textContent = column.title;
      line.append(title);
    }
    rowsHead.replaceChildren(line);
    rowsBody.replaceChildren();
  }
  keepRows(
    rowsBody,
    found,
    rowKey,
    () => {
      const line = document.createElement("tr");
      for (const column of columns) line.append(cell("", column.className));
      for (const [i, column] of columns.entries())
        if (column.className === "address") line.cells[i].append(document.createElement(column.opens ? "a" : "span"), document.createElement("small"));
      return line;
    },
    (line, row) =>
      columns.forEach((column, i) => {
        const field = line.cells[i];
        if (column.className === "address") {
          setText(field.firstElementChild, column.text(row));
          setText(field.lastElementChild, described(addresses[column.text(row)]));
        }
        if (column.opens) {
          const link = field.firstElementChild;
          // A sum of networks has no trend, and is no row of its own.
          if (row.sources === undefined) link.href = addressOfRow(agent, rowKey(row));
        } else if (column.trend) {
          const rates = ratesOf(row, slices);
          field.replaceChildren(...(rates.length > 1 ? [trendLine(rates, 60, trendText(rates, slices))] : []));
        } else if (column.className !== "address") {
          setText(field, column.text(row, time));
          if (column.title_of) field.title = column.title_of(row);
        }
      }),
  );
  byId("graph").hidden = by !== "pair";
  if (by === "pair") pairGraph.show(found);
  const tracked = grouped(chosenAgent()?.tracked ?? "0");
  setText(byId("rows-text"), find ? `${found.length} of the ${rows.length} highest match; ${tracked} tracked` : `${rows.length} shown of ${tracked} tracked`);
}

// What somebody is typing stays.
function showFilters() {
  const { query } = place();
  for (const field of filters.elements) {
    const isBeingTyped = field === document.activeElement && field.matches("input");
    if (field.name && !isBeingTyped) field.value = query.get(field.name) ?? (field.name === "by" ? "pps" : "");
  }
}

filters.addEventListener("change", () => {
  const { agent, query } = place();
  for (const [name, value] of new FormData(filters)) {
    query.delete(name);
    if (value.trim() && !(name === "by" && value === "pps")) query.set(name, value.trim());
  }
  location.hash = addressOf(agent || (agents[0]?.id ?? ""), query);
});
filters.addEventListener("submit", (event) => event.preventDefault());
for (const choice of document.querySelectorAll("input[name=unit]")) choice.addEventListener("change", () => chart.setUnit(choice.value));
let shown = place();

function showRow() {
  const { agent, query } = place();
  const row = query.get("row");
  if (row === null) return;
  rowView.open(agent, row);
  setText(byId("row-title"), row.replace(">", " to "));
  byId("row-back").href = addressOf(agent, new URLSearchParams());
}

window.addEventListener("hashchange", () => {
  if (!isPlace()) return;
  if (place().agent !== shown.agent) clearRows();
  shown = place();
  setText(byId("filter-error"), "");
  showFilters();
  showRow();
  connect();
});
// What is read next is the table; the address stays what it is.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId(byId("row").hidden ? "rows-title" : "row-title").focus();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect();
    historyView.pause();
  } else {
    connect();
    historyView.resume();
  }
});
setInterval(showState, 1000);
showFilters();
showRow();
connect();
