#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Draws a terminal's screen, as `tmux capture-pane -e -p -N` prints it, as SVG on standard output.

usage: terminal_svg.py TITLE <SCREEN

It has a background of its own, so it can be read on light and on dark pages. The bars of a trend
are drawn as shapes, since fonts differ in what they make of these characters.
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 19, 14
MARGIN, TITLE_HEIGHT = 16, 34
FOREGROUND, BACKGROUND, BAR, FAINT = "#d6deeb", "#12181f", "#1d2630", "#93a1b0"
PALETTE = ("#5c6773", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#d6deeb")
BLOCKS = "▁▂▃▄▅▆▇█"  # an eighth of a cell's height more each
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

SELECT_GRAPHIC_RENDITION = re.compile(r"\x1b\[([0-9;]*)m")


def restyled(style, codes):
    """The style after the codes of a sequence: whether bold, whether reversed, which colour."""
    bold, reverse, colour = style
    for code in [int(code or 0) for code in codes.split(";")]:
        if code == 0:
            bold, reverse, colour = False, False, None
        elif code == 1:
            bold = True
        elif code == 7:
            reverse = True
        elif code == 22:
            bold = False
        elif code == 27:
            reverse = False
        elif 30 <= code <= 37:
            colour = code - 30
        elif code == 39:
            colour = None
        elif code != 49:
            sys.exit(f"terminal_svg.py: no such style is known: {code}")
    return bold, reverse, colour


def read_screen(text):
    """For each line a list of runs: the column, the characters, their style."""
    style = (False, False, None)
    for line in text.rstrip("\n").split("\n"):
        runs, column = [], 0
        for i, part in enumerate(SELECT_GRAPHIC_RENDITION.split(line)):
            if i % 2:
                style = restyled(style, part)
            elif part:
                if "\x1b" in part or any(unicodedata.east_asian_width(c) in "WF" for c in part):
                    sys.exit(f"terminal_svg.py: that is no text of one column each: {part!r}")
                runs.append((column, part, style))
                column += len(part)
        yield runs


def rectangle(x, y, width, height, colour):
    size = f'width="{width:.1f}" height="{height:.2f}"'
    return f'<rect x="{x:.1f}" y="{y:.2f}" {size} fill="{colour}"/>'


def draw_run(column, text, style, top):
    bold, reverse, number = style
    colour = FOREGROUND if number is None else PALETTE[number]
    left = MARGIN + column * CELL_WIDTH
    if reverse:
        yield rectangle(left, top, len(text) * CELL_WIDTH, CELL_HEIGHT, colour)
        colour = BACKGROUND
    bars = [(i, BLOCKS.index(character)) for i, character in enumerate(text) if character in BLOCKS]
    if bars:
        path = "".join(
            f"M{left + i * CELL_WIDTH:.1f} {top + CELL_HEIGHT - 1}h{CELL_WIDTH - 1:.1f}"
            f"v{-(CELL_HEIGHT - 3) * (eighths + 1) / len(BLOCKS):.0f}h{1 - CELL_WIDTH:.1f}z"
            for i, eighths in bars)
        yield f'<path d="{path}" fill="{colour}"/>'
    # A word each: a wider or narrower font moves none out of its column.
    for word in re.finditer(rf"[^\s{BLOCKS}]+", text):
        x = left + word.start() * CELL_WIDTH
        length = len(word[0]) * CELL_WIDTH
        weight = ' font-weight="bold"' if bold or reverse else ""
        yield (f'<text x="{x:.1f}" y="{top + CELL_HEIGHT - 5:.1f}" textLength="{length:.1f}"'
               f' lengthAdjust="spacingAndGlyphs" fill="{colour}"{weight}>{escape(word[0])}</text>')


def draw(lines, title):
    columns = max(column + len(text) for runs in lines for column, text, _ in runs)
    width = 2 * MARGIN + columns * CELL_WIDTH
    height = TITLE_HEIGHT + 2 * MARGIN + len(lines) * CELL_HEIGHT
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}"'
           f' width="{width:.0f}" height="{height}" font-family="{FONTS}" font-size="{FONT_SIZE}"'
           f' role="img">')
    yield f"<title>{escape(title)}</title>"
    yield (f'<rect x="0.5" y="0.5" width="{width - 1:.1f}" height="{height - 1}" rx="8"'
           f' fill="{BACKGROUND}" stroke="{PALETTE[0]}"/>')
    yield (f'<path d="M 1 {TITLE_HEIGHT} V 8.5 A 7.5 7.5 0 0 1 8.5 1 H {width - 8.5:.1f}'
           f' A 7.5 7.5 0 0 1 {width - 1:.1f} 8.5 V {TITLE_HEIGHT} Z" fill="{BAR}"/>')
    yield f'<text x="{MARGIN}" y="{TITLE_HEIGHT - 12}" fill="{FAINT}">$ {escape(title)}</text>'
    for number, runs in enumerate(lines):
        for run in runs:
            yield from draw_run(*run, TITLE_HEIGHT + MARGIN + number * CELL_HEIGHT)
    yield "</svg>"


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    lines = list(read_screen(sys.stdin.buffer.read().decode("utf-8")))
    while lines and not any(text.strip() for _, text, _ in lines[-1]):
        lines.pop()
    if not lines:
        sys.exit("terminal_svg.py: the screen is empty")
    print("\n".join(draw(lines, sys.argv[1])))


main()
