"""Makes demo.svg: two releases of the demo, as a terminal shows them.

Runs the command that it is given in a terminal of its own (`cargo sandbox`), keeps the releases of
the pushes below, leaves out lines without a summary, and shortens long lines in the middle. Uses
Python's standard library only.

    python3 docs/images/demo.py OUTPUT.svg COMMAND [ARGUMENT ...]
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from html import escape

PUSHES = ("web:1.2.0", "shop:1.2.0")

COLUMNS = 128
TERMINAL_COLUMNS = 240
CHARACTER, LINE, MARGIN = 7.2, 18, 16

FOREGROUND, BACKGROUND = "#d6dbe3", "#14181f"
COLOURS = {
    "2": "#8b95a5",
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#56d4dd",
}

STYLE = re.compile(r"\x1b\[([0-9;]*)m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SERVING = re.compile(r"  ((?:(?:blue|green) \d+)?\[[●○·]*\] ?)+$")
WITHOUT_SUMMARY = re.compile(r"^  \d\d:\d\d:\d\d  \S+ +\S+ *$")


def run(command):
    """The command's output on a terminal, as lines with styles and nothing else."""
    terminal, child = pty.openpty()
    size = struct.pack("HHHH", 50, TERMINAL_COLUMNS, 0, 0)
    fcntl.ioctl(child, termios.TIOCSWINSZ, size)
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=environment
    )
    os.close(child)

    output = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    if process.wait() != 0:
        sys.exit(f"{command[0]} exited with {process.returncode}")

    # A progress bar is drawn and erased in front of the line that stays.
    lines = output.decode().replace("\r", "").split("\n")
    return [line.rpartition("\x1b[2K")[2] for line in lines]


def plain(line):
    return CONTROL.sub("", line)


def releases(lines):
    """The lines of the wanted releases."""
    wanted, kept = False, []
    for line in lines:
        text = plain(line)
        if " push " in text and not text.startswith(" "):
            wanted = text.endswith(PUSHES)
        if not text.strip():
            continue
        serving = SERVING.search(text)
        if wanted and not WITHOUT_SUMMARY.match(text[: serving.start()] if serving else text):
            kept.append(line)
    return kept


def spans(line):
    """The line's characters, each with its style."""
    style, found, at = "", [], 0
    for code in STYLE.finditer(line):
        found += [(character, style) for character in CONTROL.sub("", line[at : code.start()])]
        style = "" if code[1] in ("", "0") else f"{style};{code[1]}"
        at = code.end()
    return found + [(character, style) for character in CONTROL.sub("", line[at:])]


def shortened(characters):
    """At most COLUMNS characters: the tasks at the end stay, the summary before them is cut."""
    if len(characters) <= COLUMNS:
        return characters
    serving = SERVING.search("".join(character for character, _ in characters))
    tail = characters[serving.start() :] if serving else []
    return characters[: COLUMNS - len(tail) - 2] + [(" ", ""), ("…", "")] + tail


def text(characters, y):
    parts, at = [], 0
    while at < len(characters):
        style, end = characters[at][1], at
        while end < len(characters) and characters[end][1] == style:
            end += 1
        # Browsers join spaces, but not these.
        words = "".join(character for character, _ in characters[at:end]).replace(" ", "\u00a0")
        words = escape(words)
        codes = style.split(";")
        weight = ' font-weight="bold"' if "1" in codes else ""
        colour = next((COLOURS[code] for code in codes if code in COLOURS), None)
        fill = f' fill="{colour}"' if colour else ""
        parts.append(f"<tspan{weight}{fill}>{words}</tspan>" if weight or fill else words)
        at = end
    length = len(characters) * CHARACTER
    return (
        f'<text x="{MARGIN}" y="{y}" textLength="{length:.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{"".join(parts)}</text>'
    )


def svg(lines):
    rows = [shortened(spans(line)) for line in lines]
    width = COLUMNS * CHARACTER + 2 * MARGIN
    height = (len(rows) + 1) * LINE + 2 * MARGIN
    body = [text([(c, "") for c in "$ cargo sandbox"], MARGIN + LINE * 0.75)]
    body += [text(row, MARGIN + LINE * (index + 1.75)) for index, row in enumerate(rows)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'role="img" aria-label="Two releases of the demo in a terminal" '
            f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" '
            f'font-size="12" fill="{FOREGROUND}">',
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def main():
    output, command = sys.argv[1], sys.argv[2:]
    lines = releases(run(command))
    if not lines:
        sys.exit(f"the demo has no release of {' or '.join(PUSHES)}")
    with open(output, "w", encoding="utf-8") as file:
        file.write(svg(lines))


if __name__ == "__main__":
    main()
