"""Bars as SVG, readable by day and by night."""

import statistics
import xml.sax.saxutils

COLOURS = {"tollkey": "#0f766e", "nginx": "#94a3b8", "haproxy": "#a8a29e", "envoy": "#c4b5a0"}
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2937 } .title { font-weight: 600; font-size: 15px } .faint { fill: #6b7280 }
@media (prefers-color-scheme: dark) { text { fill: #e5e7eb } .faint { fill: #9ca3af } }
</style>"""
LEFT, BAR, ROW, WIDTH = 90, 440, 20, 640  # pixels


def bars(title, groups):
    """`groups`: words, and pairs of a name and a figure; each group has a scale of its own."""
    parts, y = [f'<text class="title" x="0" y="18">{xml.sax.saxutils.escape(title)}</text>'], 30
    for words, figures in groups:
        y += 22
        parts.append(f'<text class="faint" x="0" y="{y}">{xml.sax.saxutils.escape(words)}</text>')
        most = max(figure for _, figure in figures) or 1
        for name, figure in figures:
            y += ROW
            length = max(1, BAR * figure / most)
            parts.append(f'<text x="0" y="{y}">{name}</text><rect x="{LEFT}" y="{y - 11}" width="{length:.0f}" height="13" '
                         f'rx="2" fill="{COLOURS.get(name, "#94a3b8")}"/>'
                         f'<text x="{LEFT + length + 6:.0f}" y="{y}">{figure:,.1f}</text>')
        y += 6
    height = y + 12
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            f'role="img" aria-label="{xml.sax.saxutils.escape(title)}">{STYLE}{"".join(parts)}</svg>\n')


def write(folder, taken):
    """One picture for each kind of figure. `taken`: a title, and each row's samples."""
    for key, title, scale in (("cpu_us", "Processor time per request, microseconds", 1),
                              ("p99_us", "Latency of the slowest hundredth, milliseconds", 1e-3), ("own_mib", "Own memory, MiB", 1)):
        groups = []
        for words, rows in taken.items():
            clean = {name: [sample[key] for sample in samples if key in sample and not sample["errors"]]
                     for name, samples in rows.items()}
            if set(clean) - {"tollkey"} and all(clean.values()):
                groups.append((words, [(name, statistics.median(values) * scale) for name, values in clean.items()]))
        (folder / f"bench-{key.split('_')[0]}.svg").write_text(bars(title, groups))
