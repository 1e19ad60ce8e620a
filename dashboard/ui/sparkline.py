"""Small pictures in a table row: a course with its cut-off, and the last appointments. Always beside words."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.harmless import escape

WIDTH, HEIGHT = 108, 34
BOX = 11


def course(
    points: Sequence[tuple[float, float, bool, bool]], low: float, high: float, cutoff: float | None, label: str
) -> str:
    """An SVG of (day, value, flagged, gap before) points on the whole range; ``label`` says it in a sentence."""
    first = points[0][0] if points else 0.0
    last = max(points[-1][0] if points else 0.0, first + 1)

    def place(x: float, value: float) -> tuple[float, float]:
        across = 6 + (x - first) / (last - first) * (WIDTH - 12)
        return across, HEIGHT - 5 - (value - low) / (high - low) * (HEIGHT - 10)

    spots = [(*place(x, value), flagged, gap) for x, value, flagged, gap in points]
    parts = []
    if cutoff is not None:
        level = place(first, cutoff)[1]
        parts.append(f'<line class="cut" x1="4" x2="{WIDTH - 4}" y1="{level:.1f}" y2="{level:.1f}"/>')
    runs: list[list[str]] = []
    for x, y, _, gap in spots:
        if gap or not runs:
            runs.append([])
        runs[-1].append(f"{x:.1f},{y:.1f}")
    for run in runs:
        if len(run) > 1:
            parts.append(f'<polyline class="obs" points="{" ".join(run)}"/>')
        else:
            x_only, y_only = run[0].split(",")
            parts.append(f'<circle class="end" cx="{x_only}" cy="{y_only}" r="1.6"/>')
    parts += [f'<path class="flag" d="M{x:.1f} {y - 5:.1f}l5 5-5 5-5-5z"/>' for x, y, flagged, _ in spots if flagged]
    if spots and not spots[-1][2]:
        parts.append(f'<circle class="end" cx="{spots[-1][0]:.1f}" cy="{spots[-1][1]:.1f}" r="2.5"/>')
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )


def strip(marks: Sequence[tuple[str, str]]) -> str:
    """The last appointments, oldest first, as (mark, words): filled square, open square, cross, tick."""
    if not marks:
        return '<span class="nil">–</span>'
    parts = []
    for place, (mark, _) in enumerate(marks):
        x = place * (BOX + 4) + 1
        parts.append(
            {
                "a": f'<rect class="att" x="{x}" y="2" width="{BOX}" height="{BOX}"/>',
                "c": f'<rect class="can" x="{x + 0.75}" y="2.75" width="{BOX - 1.5}" height="{BOX - 1.5}"/>',
                "x": f'<path class="dna" d="M{x + 1} 3l9 9m0-9l-9 9"/>',
                "b": f'<path class="bkd" d="M{x + 1} 8l3 4 6-9"/>',
            }[mark]
        )
    label = "Oldest first: " + ", ".join(words for _, words in marks)
    width = len(marks) * (BOX + 4)
    size = f'width="{width}" height="15" viewBox="0 0 {width} 15"'
    return f'<svg role="img" aria-label="{escape(label)}" {size}>{"".join(parts)}</svg>'
