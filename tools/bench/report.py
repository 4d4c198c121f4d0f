#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes tables, a check of the targets and a plot from what the benchmarks print.

The input is one JSON object per line, as print_result() of measurement.hpp writes it; lines that
are none (why a benchmark was skipped) are shown as they are. Missed targets do not change the exit
code: on another machine they are a fact to look at, not a failure.
"""

import argparse
import json
import math
import re
import sys
from html import escape

# bench, setting, what, field, at most, what it means
TARGETS = [
    ("packet_cost", "one source", "ours", "ratio", 0.30, "counting a packet, one source"),
    ("packet_cost", "zipf 1000", "ours", "ratio", 0.30, "counting a packet, zipf over 1,000"),
    ("packet_cost", "uniform 65536", "ours", "ratio", 0.60, "counting a packet, 65,536 sources"),
    ("packet_cost", "uniform 1048576", "ours", "ratio", 1.10,
     "counting a packet, 1,048,576 sources"),
    ("tick_cost", "1000000 tracked, 100000 active", "tick", "ratio", 0.10,
     "a tick, 100,000 of 1,000,000 active"),
    ("tick_cost", "1000000 tracked, 1000000 active", "tick", "ratio", 0.80,
     "a tick, all of 1,000,000 active"),
    ("encoding_cost", "1000000 rows", "ours", "ratio", 0.15, "encoding 1,000,000 rows"),
    ("list_cost", "1000000 rows", "ours, to the last byte read", "ratio", 0.15,
     "listing 1,000,000 sources"),
    ("list_cost", "1000000 rows, a tick every 0.2 s", "snapshots, 1 at a time", "most", 20,
     "the latest tick meanwhile (ms)"),
    ("memory_use", "max-sources 1000000, hot-slots 262144, full", "resident, maps aside", "median",
     64, "resident memory, 1,000,000 sources (MiB)"),
]

# what, name in the plot, colour (Okabe and Ito: told apart by the colour-blind too), dashes
CURVES = [
    ("ours", "xdp-count", "#0072b2", ""),
    ("percpu_hash", "PERCPU_HASH", "#d55e00", ""),
    ("lru_percpu_hash", "LRU_PERCPU_HASH", "#cc79a7", "6 3"),
    ("hash", "HASH, atomic", "#009e73", ""),
    ("lru_hash", "LRU_HASH, atomic", "#806000", "6 3"),
]


def read_results(path):
    """The objects by (bench, setting, what), the last of each, in the order of the first."""
    results = {}
    remarks = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("{"):
                if line.strip():
                    remarks.append(line.strip())
                continue
            try:
                result = json.loads(line)
                key = (result["bench"], result["setting"], result["what"])
                for field in ("unit", "median", "least", "most"):
                    result[field]
            except (ValueError, KeyError) as error:
                # The end of a run that was cut short.
                remarks.append(f"line {number} of {path} is no result: {error!r}")
                continue
            results[key] = result
    return results, remarks


def number_text(value):
    """At least three significant digits, and no more decimals than that takes."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 3)}f}"


def group_by(results, *fields):
    groups = {}
    for result in results:
        groups.setdefault(tuple(result[field] for field in fields), []).append(result)
    return groups


def print_table(results):
    """One setting: what was compared within one run."""
    rows = []
    for result in results:
        ratio = f"{result['ratio']:.2f}" if "ratio" in result else ""
        rows.append((result["what"], number_text(result["median"]), number_text(result["least"]),
                     number_text(result["most"]), result["unit"], ratio))
    heads = ("", "median", "least", "most", "", "ratio" if any(row[5] for row in rows) else "")
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    widths[0] = max(widths[0], 24)
    for row in [heads, *rows]:
        cells = [
            text.ljust(width) if i in (0, 4) else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths))
        ]
        print(("    " + "  ".join(cells)).rstrip())


def print_tables(results):
    for (bench,), of_bench in group_by(results.values(), "bench").items():
        print(bench.replace("_", " "))
        for (setting,), of_setting in group_by(of_bench, "setting").items():
            yardsticks = {result["ratio_to"]: None for result in of_setting if "ratio_to" in result}
            suffix = f"  (ratio to: {'; '.join(yardsticks)})" if yardsticks else ""
            print(f"  {setting}{suffix}")
            print_table(of_setting)
        print()


def print_targets(results):
    print("targets")
    width = max(len(target[5]) for target in TARGETS)
    counts = {"met": 0, "MISSED": 0, "not measured": 0}
    for bench, setting, what, field, most, meaning in TARGETS:
        value = results.get((bench, setting, what), {}).get(field)
        if value is None:
            verdict, shown = "not measured", ""
        else:
            verdict, shown = "met" if value <= most else "MISSED", f"{value:.2f}"
        counts[verdict] += 1
        print(f"    {meaning.ljust(width)}  {shown:>7}  at most {most:5.2f}  {verdict}")
    print("    " + ", ".join(f"{count} {verdict.lower()}" for verdict, count in counts.items()))


def sources_of(setting):
    """How many sources send equally often, or None for another distribution."""
    if setting == "one source":
        return 1
    match = re.fullmatch(r"uniform (\d+)", setting)
    return int(match[1]) if match else None


def curve_points(results, what):
    """(sources, median, least, most) over what only parses, by number of sources."""
    points = []
    for (bench, setting, name), result in results.items():
        if bench != "packet_cost" or name != what:
            continue
        sources = sources_of(setting)
        parse = results.get((bench, setting, "parse_only"))
        if sources and parse:
            points.append((sources, *(result[field] - parse["median"]
                                      for field in ("median", "least", "most"))))
    return sorted(points)


def tick_step(most):
    """1, 2 or 5 times a power of ten, so that there are four to ten lines."""
    step = 10 ** math.floor(math.log10(most))
    return next(s for s in (step / 5, step / 2, step, step * 2) if most / s <= 8)


def spread_out(wanted, gap):
    """Positions in the order of the wanted ones, not before them, and at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    for before, after in zip(order, order[1:]):
        placed[after] = max(placed[after], placed[before] + gap)
    return placed


def plot(results):
    """The SVG text, or None when there is nothing to draw."""
    curves = [(label, colour, dashes, points) for what, label, colour, dashes in CURVES
              if len(points := curve_points(results, what)) > 1]
    if not curves:
        return None
    width, height = 820, 440
    left, right, top, bottom = 70, width - 170, 60, height - 62
    most_sources = max(points[-1][0] for *_, points in curves)
    # Single outliers, the ends of the spread, may leave the picture; medians do not.
    most = 1.08 * max(point[1] for *_, points in curves for point in points)
    least = min(0, *(point[1] for *_, points in curves for point in points))

    def x_of(sources):
        return left + (right - left) * math.log(sources) / math.log(most_sources)

    def y_of(cost):
        return bottom - (bottom - top) * (min(max(cost, least), most) - least) / (most - least)

    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="13" '
        'fill="#333333">',
        "<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->",
        "<title>Cost of counting a packet against the number of sources</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="24" font-size="16" font-weight="bold">'
        "What counting adds to a packet</text>",
        f'<text x="{left}" y="44" fill="#666666">'
        "ns over only parsing it; median, and least to most of all rounds</text>",
    ]
    step = tick_step(most)
    for i in range(math.ceil(least / step), math.floor(most / step) + 1):
        y = y_of(i * step)
        colour = "#888888" if i == 0 else "#e2e2e2"
        svg.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{colour}"/>')
        svg.append(f'<text x="{left - 10}" y="{y + 4.5:.1f}" text-anchor="end">{i * step:g}</text>')
    power = 1
    while power <= most_sources:
        x = x_of(power)
        svg.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}" '
                   'stroke="#888888"/>')
        svg.append(f'<text x="{x:.1f}" y="{bottom + 21}" text-anchor="middle">{power:,}</text>')
        power *= 10
    svg.append(f'<text x="{(left + right) / 2}" y="{bottom + 46}" text-anchor="middle">'
               "sources, each sending equally often</text>")
    middle = (top + bottom) / 2
    svg.append(f'<text x="22" y="{middle}" text-anchor="middle" '
               f'transform="rotate(-90 22 {middle})">ns per packet</text>')

    # The first is ours: drawn last, over the others.
    for label, colour, dashes, points in reversed(curves):
        thick = 3 if label == curves[0][0] else 2
        for sources, _, low, high in points:
            x = x_of(sources)
            svg.append(f'<line x1="{x:.1f}" y1="{y_of(low):.1f}" x2="{x:.1f}" y2="{y_of(high):.1f}"'
                       f' stroke="{colour}" stroke-opacity="0.35" stroke-width="{thick}"/>')
        path = " ".join(f"{x_of(sources):.1f},{y_of(cost):.1f}" for sources, cost, *_ in points)
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        svg.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                   f'stroke-width="{thick}" stroke-linejoin="round"{dash}/>')
        for sources, cost, *_ in points:
            svg.append(f'<circle cx="{x_of(sources):.1f}" cy="{y_of(cost):.1f}" '
                       f'r="{thick + 0.5}" fill="{colour}"/>')
    ends = spread_out([y_of(points[-1][1]) for *_, points in curves], 18)
    for (label, colour, _, points), y in zip(curves, ends):
        weight = ' font-weight="bold"' if label == curves[0][0] else ""
        svg.append(f'<text x="{x_of(points[-1][0]) + 14:.1f}" y="{y + 4.5:.1f}" fill="{colour}"'
                   f"{weight}>{escape(label)}</text>")
    svg.append("</svg>")
    return "\n".join(svg) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Tables, targets and a plot from benchmarks.")
    parser.add_argument("results", metavar="FILE.jsonl", help="what the benchmarks printed")
    parser.add_argument("--svg", metavar="OUT.svg", help="where to write the plot of packet_cost")
    arguments = parser.parse_args()
    try:
        results, remarks = read_results(arguments.results)
    except OSError as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 1
    for remark in remarks:
        print(remark)
    print_tables(results)
    print_targets(results)
    if arguments.svg:
        picture = plot(results)
        if picture is None:
            print("no plot: too few results of packet_cost")
        else:
            with open(arguments.svg, "w", encoding="utf-8") as file:
                file.write(picture)
            print(f"plot: {arguments.svg}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
