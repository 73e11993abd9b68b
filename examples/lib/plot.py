"""plot.py: a picture of figures over time, as SVG, for the pages in docs/cases. Points and lines with a legend; nothing
that a browser has to load."""
import html
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 330, 70, 20, 46, 74
COLORS = ["#c0392b", "#2471a3", "#1e8449", "#9a7d0a"]


def steps(low, high, logarithmic):
    """Round values for an axis."""
    if logarithmic:
        return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) if low <= 10.0 ** e <= high]
    size = 10 ** math.floor(math.log10(high - low))
    size = next(s for s in (size / 5, size / 2, size, 2 * size) if (high - low) / s <= 8)
    return [size * i for i in range(math.ceil(low / size), math.floor(high / size) + 1)]


def plot(path, title, series, x_label, y_label, lines=False, logarithmic=False, marks=()):
    """series: [(name, [(x, y)])]; marks: [(x, text)], upright lines."""
    points = [p for _, s in series for p in s]
    right, high = max(p[0] for p in points), max(p[1] for p in points) * 1.08
    low = min(p[1] for p in points) * 0.8 if logarithmic else 0
    scale = math.log10 if logarithmic else float

    def x(v):
        return LEFT + (WIDTH - LEFT - RIGHT) * v / right

    def y(v):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (scale(v) - scale(low)) / (scale(high) - scale(low))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{html.escape(title)}</text>']
    for v in steps(low or high * 1e-9, high, logarithmic):
        out.append(f'<path d="M{LEFT} {y(v):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}</text>')
    for v in steps(0, right, False):
        out.append(f'<text x="{x(v):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{v:g}</text>')
    for at, text in marks:
        out.append(f'<path d="M{x(at):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="4 3"/>'
                   f'<text x="{x(at) + 4:.1f}" y="{TOP + 10}" fill="#555">{html.escape(text)}</text>')
    for i, (name, values) in enumerate(series):
        color = COLORS[i % len(COLORS)]
        if lines:
            out.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="'
                       + " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values) + '"/>')
        else:
            out.append(f'<path fill="none" stroke="{color}" stroke-width="3" stroke-linecap="round" d="'
                       + "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in values) + '"/>')
        at = LEFT + i * (WIDTH - LEFT - RIGHT) / max(3, len(series))
        out.append(f'<rect x="{at:.0f}" y="{HEIGHT - 24}" width="12" height="12" fill="{color}"/>'
                   f'<text x="{at + 17:.0f}" y="{HEIGHT - 14}">{html.escape(name)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - BOTTOM + 36}" text-anchor="middle">{html.escape(x_label)}</text>'
               f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{html.escape(y_label)}</text></svg>')
    path.write_text("\n".join(out) + "\n")
    print(f"picture: {path}")
