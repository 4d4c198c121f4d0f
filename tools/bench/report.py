#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes tables, a check of the targets and plots from what the benchmarks print.

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

FLOOD = "default options, random 2^24"

# bench, setting, what, field, bound, number, what it means
TARGETS = [
    ("packet_cost", "one source", "ours", "ratio", "at most", 0.22,
     "counting a packet, one source"),
    ("packet_cost", "zipf 1000", "ours", "ratio", "at most", 0.25,
     "counting a packet, zipf over 1,000"),
    ("packet_cost", "uniform 65536", "ours", "ratio", "at most", 0.30,
     "counting a packet, 65,536 sources"),
    ("packet_cost", "uniform 1048576", "ours", "ratio", "at most", 0.45,
     "counting a packet, 1,048,576 sources"),
    ("packet_cost", "one source, IPv6", "ours", "ratio", "at most", 0.25,
     "counting an IPv6 packet, one source"),
    ("tick_cost", "1000000 tracked, 100000 active", "tick", "ratio", "at most", 0.10,
     "a tick, 100,000 of 1,000,000 active"),
    ("tick_cost", "1000000 tracked, 1000000 active", "tick", "ratio", "at most", 0.80,
     "a tick, all of 1,000,000 active"),
    ("encoding_cost", "1000000 rows", "ours", "ratio", "at most", 0.15, "encoding 1,000,000 rows"),
    ("list_cost", "1000000 rows", "ours, to the last byte read", "ratio", "at most", 0.15,
     "listing 1,000,000 sources"),
    ("list_cost", "1000000 rows, a tick every 0.2 s", "snapshots, 1 at a time", "most", "at most",
     20, "the latest tick meanwhile (ms)"),
    ("memory_use", "max-sources 1000000, full", "resident, maps aside", "median",
     "at most", 64, "resident memory, 1,000,000 sources (MiB)"),
    ("attack", FLOOD, "longest gap between snapshots", "most", "at most", 1.2,
     "in a flood: between two snapshots (s)"),
    ("attack", FLOOD, "ticks missed", "most", "at most", 0, "in a flood: ticks missed"),
    ("attack", FLOOD, "slowest status", "most", "at most", 100, "in a flood: slowest status (ms)"),
    ("attack", FLOOD, "slowest get", "most", "at most", 200, "in a flood: slowest get (ms)"),
    ("attack", FLOOD, "slowest top", "most", "at most", 200, "in a flood: slowest top (ms)"),
    ("attack", FLOOD, "slowest list", "most", "at most", 200, "in a flood: slowest list (ms)"),
    ("attack", FLOOD, "xdp-count: steady sources that kept all", "least", "at least", 1000,
     "in a flood: of 1,000 sources kept all"),
    ("attack", FLOOD, "xdp-count: packets", "ratio", "at least", 0.85,
     "in a flood: packets that get through"),
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


def print_columns(heads, rows, left):
    """Each column as wide as it must be; in those of the indices `left`, texts are to the left."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    widths[0] = max(widths[0], 24)
    for row in [heads, *rows]:
        cells = [
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths))
        ]
        print(("    " + "  ".join(cells)).rstrip())


def print_table(results):
    """One setting: what was compared within one run."""
    rows = []
    for result in results:
        ratio = f"{result['ratio']:.2f}" if "ratio" in result else ""
        rows.append((result["what"], number_text(result["median"]), number_text(result["least"]),
                     number_text(result["most"]), result["unit"], ratio))
    heads = ("", "median", "least", "most", "", "ratio" if any(row[5] for row in rows) else "")
    print_columns(heads, rows, (0, 4))


def attack_rows(results):
    """(label, who, what to ask for a field of a result) for each who went through a flood."""
    settings = dict.fromkeys(setting for bench, setting, _ in results if bench == "attack")

    def field_of(setting):
        return lambda what, field: results.get(("attack", setting, what), {}).get(field)

    rows = [(setting, "xdp-count", field_of(setting)) for setting in settings]
    for setting in settings:
        rows += [(f"{who} of 262144, read each second", who, field_of(setting))
                 for who in ("PERCPU_HASH", "LRU_HASH")
                 if ("attack", setting, f"{who}: packets") in results]
    return rows


def longest_wait(who, field_of):
    """For the next snapshot or, without an agent, for a read to end; in seconds."""
    agents = who == "xdp-count"
    return field_of("longest gap between snapshots" if agents else f"{who}: longest read", "most")


def print_attack(results):
    """Who went through a flood, a line for each: the worst of all rounds, of rates the median."""
    heads = ("", "longest gap, s", "ticks missed", "status, ms", "get", "top", "list", "no answer",
             "kept, %", "kept all", "newcomer, %", "thousand/s", "of empty", "CPU", "adds up")
    rows = []
    for label, who, field_of in attack_rows(results):

        def text(value, form="{:.2f}"):
            return "" if value is None else form.format(value)

        def total(*whats):
            values = [field_of(what, "most") for what in whats]
            return None if None in values else sum(values)

        cells = [label, text(longest_wait(who, field_of))]
        if who == "xdp-count":
            asked = ("status", "get", "top", "list")
            slowest = [field_of(f"slowest {what}", "most") for what in asked]
            astray = total(*(f"{what}, {how}" for what in asked
                             for how in ("refused", "not answered")))
            wrong = total("lines that do not add up", "lists that do not add up")
            cells.append(text(field_of("ticks missed", "most"), "{:.0f}"))
            cells += [text(value, "{:,.0f}") for value in slowest]
            cells.append(text(astray, "{:.0f}"))
        else:
            wrong = None
            cells += [""] * 6
        cells += [
            text(field_of(f"{who}: kept of the steady sources", "least")),
            text(field_of(f"{who}: steady sources that kept all", "least"), "{:.0f}"),
            text(field_of(f"{who}: kept of the newcomer", "least")),
            text(field_of(f"{who}: packets", "median"), "{:,.0f}"),
            text(field_of(f"{who}: packets", "ratio")),
            text(field_of("CPU of the agent", "median") if who == "xdp-count" else None),
            "" if wrong is None else "no" if wrong else "yes",
        ]
        rows.append(cells)
    print_columns(heads, rows, (0,))


def print_tables(results):
    for (bench,), of_bench in group_by(results.values(), "bench").items():
        print(bench.replace("_", " "))
        if bench == "attack":
            print_attack(results)
            print()
            continue
        for (setting,), of_setting in group_by(of_bench, "setting").items():
            yardsticks = {result["ratio_to"]: None for result in of_setting if "ratio_to" in result}
            suffix = f"  (ratio to: {'; '.join(yardsticks)})" if yardsticks else ""
            print(f"  {setting}{suffix}")
            print_table(of_setting)
        print()


def print_targets(results):
    print("targets")
    width = max(len(target[-1]) for target in TARGETS)
    counts = {"met": 0, "MISSED": 0, "not measured": 0}
    for bench, setting, what, field, bound, number, meaning in TARGETS:
        value = results.get((bench, setting, what), {}).get(field)
        if value is None:
            verdict, shown = "not measured", ""
        else:
            met = value <= number if bound == "at most" else value >= number
            verdict, shown = "met" if met else "MISSED", f"{value:.2f}"
        counts[verdict] += 1
        print(f"    {meaning.ljust(width)}  {shown:>7}  {bound:>8} {number:7.2f}  {verdict}")
    print("    " + ", ".join(f"{count} {verdict.lower()}" for verdict, count in counts.items()))


def sources_of(setting):
    """How many sources send equally often, or None for another distribution."""
    if setting == "one source":
        return 1
    match = re.fullmatch(r"uniform (\d+)", setting)
    return int(match[1]) if match else None


def curve_points(results, what):
    """(sources, median, least, most) over an empty program, by number of sources."""
    points = []
    for (bench, setting, name), result in results.items():
        if bench != "packet_cost" or name != what:
            continue
        sources = sources_of(setting)
        empty = results.get((bench, setting, "empty"))
        if sources and empty:
            points.append((sources, *(result[field] - empty["median"]
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
        "What counting a packet costs</text>",
        f'<text x="{left}" y="44" fill="#666666">'
        "ns of whole programs over an empty one; median, and least to most of all rounds</text>",
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


def attack_plot(results):
    """The SVG text of what a flood does to each, or None when there is nothing to draw."""
    rows = attack_rows(results)
    if not rows:
        return None
    colours = {"xdp-count": "#0072b2", "PERCPU_HASH": "#d55e00", "LRU_HASH": "#806000"}
    # title, what of a row, its form
    panels = [
        ("kept of 1,000 steady sources, %",
         lambda who, field_of: field_of(f"{who}: kept of the steady sources", "least"), "{:.2f}"),
        ("kept of a newcomer, %",
         lambda who, field_of: field_of(f"{who}: kept of the newcomer", "least"), "{:.2f}"),
        ("packets/s ÷ an empty program's",
         lambda who, field_of: field_of(f"{who}: packets", "ratio"), "{:.2f}"),
        ("longest gap or read, s", longest_wait, "{:.2f}"),
    ]
    labels, panel, bar, step, top = 330, 170, 12, 22, 92
    gap = 70
    width = labels + len(panels) * (panel + gap)
    height = top + len(rows) * step + 24
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12" '
        'fill="#333333">',
        "<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->",
        "<title>What a flood of spoofed sources does</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="24" font-size="16" font-weight="bold">'
        "What a flood of spoofed sources does</text>",
        '<text x="16" y="44" fill="#666666">'
        "the worst of all rounds, of packets a second the median</text>",
    ]
    for row, (label, who, _) in enumerate(rows):
        y = top + row * step
        weight = ' font-weight="bold"' if who == "xdp-count" else ""
        svg.append(f'<text x="{labels - 14}" y="{y + bar - 1.5}" text-anchor="end" '
                   f'fill="{colours[who]}"{weight}>{escape(label)}</text>')
    for number, (title, value_of, form) in enumerate(panels):
        left = labels + number * (panel + gap)
        values = [value_of(who, field_of) for _, who, field_of in rows]
        most = max((value for value in values if value is not None), default=0)
        # Shares and ratios end at the whole, however much of it was reached.
        whole = 100 if title.endswith("%") else max(1, most)
        svg.append(f'<text x="{left}" y="{top - 16}">{escape(title)}</text>')
        svg.append(f'<line x1="{left}" y1="{top - 6}" x2="{left}" y2="{height - 20}" '
                   'stroke="#888888"/>')
        for row, ((_, who, _), value) in enumerate(zip(rows, values)):
            y = top + row * step
            size = 0 if value is None else panel * value / whole
            svg.append(f'<rect x="{left}" y="{y}" width="{size:.1f}" height="{bar}" '
                       f'fill="{colours[who]}"/>')
            text = "–" if value is None else form.format(value)
            svg.append(f'<text x="{left + size + 6:.1f}" y="{y + bar - 1.5}">{text}</text>')
    svg.append("</svg>")
    return "\n".join(svg) + "\n"


def write_plot(picture, path, bench):
    if picture is None:
        print(f"no plot: too few results of {bench}")
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(picture)
    print(f"plot: {path}")


def main():
    parser = argparse.ArgumentParser(description="Tables, targets and plots from benchmarks.")
    parser.add_argument("results", metavar="FILE.jsonl", help="what the benchmarks printed")
    parser.add_argument("--svg", metavar="OUT.svg", help="where to write the plot of packet_cost")
    parser.add_argument("--attack-svg", metavar="OUT.svg",
                        help="where to write the plot of attack")
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
        write_plot(plot(results), arguments.svg, "packet_cost")
    if arguments.attack_svg:
        write_plot(attack_plot(results), arguments.attack_svg, "attack")
    return 0


if __name__ == "__main__":
    sys.exit(main())
