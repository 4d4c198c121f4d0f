// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* global Chart */
// What all charts of the page have in common: lines over time, drawn by Chart.js in the page's colours.
import { brief } from "./format.js";

// lines: [{name, colour}], colour being one of the page's. own: {dataset, interaction, x, tooltip}, what
// a chart has of its own, by Chart.js's names; draw: draws it anew.
export function newChart(canvas, lines, own, draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return new Chart(canvas, {
    type: "line",
    data: { datasets: lines.map(({ name }) => ({ label: name, data: [], borderWidth: 1.5, pointRadius: 0, ...own.dataset })) },
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { intersect: false, ...own.interaction },
      scales: {
        x: { type: "linear", ...own.x, ticks: { maxRotation: 0, ...own.x.ticks } },
        y: { beginAtZero: true, ticks: { callback: (value) => brief(value) } },
      },
      plugins: { tooltip: { callbacks: own.tooltip } },
    },
  });
}

// data(i): the points of a line; isSeen(i): whether it has any value above 0. A line that has none is
// left out where there are others.
export function drawChart(chart, lines, data, isSeen) {
  const style = getComputedStyle(document.documentElement);
  const several = lines.length > 1;
  chart.data.datasets.forEach((dataset, i) => {
    dataset.data = data(i);
    dataset.borderColor = dataset.backgroundColor = style.getPropertyValue(`--${lines[i].colour}`);
    dataset.hidden = several && !isSeen(i);
  });
  for (const axis of Object.values(chart.options.scales)) {
    axis.ticks.color = style.getPropertyValue("--quiet");
    axis.grid = { color: style.getPropertyValue("--line") };
  }
  // A click on a name would hide its line, and the name with it.
  chart.options.plugins.legend = {
    display: several,
    labels: { color: style.getPropertyValue("--text"), filter: (item, data) => !data.datasets[item.datasetIndex].hidden },
    onClick: () => {},
  };
  chart.update("none");
}
