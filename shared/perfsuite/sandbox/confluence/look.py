"""How the viewer looks. It loads nothing from anywhere."""

from html import escape
from typing import Final

POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_STYLE: Final = """
:root { color-scheme: light; font: 16px/1.55 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: #172b4d }
body { margin: 0 }
header.site { background: #0c66e4; color: #fff; padding: .5rem 1.5rem; font-weight: 600 }
header.site a { color: inherit; text-decoration: none }
main { max-width: 60rem; margin: 1rem auto 4rem; padding: 0 1.5rem }
a { color: #0c66e4 }
h1.title { font-size: 2rem; margin: .3rem 0 }
.byline, .trail, footer { color: #626f86; font-size: .85rem }
.trash { background: #ffeceb; padding: .5rem 1rem; border-radius: 3px }
table { border-collapse: collapse; margin: .8rem 0; max-width: 100% }
th, td { border: 1px solid #c1c7d0; padding: .4rem .6rem; vertical-align: top; text-align: left }
th { background: #f4f5f7 }
td p, th p { margin: 0 }
figure { margin: 1rem 0 }
figure.image img { max-width: 100%; height: auto }
figure.center { text-align: center }
figure.right { text-align: right }
figcaption { color: #626f86; font-size: .85rem }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .875em }
figure.code pre { background: #f4f5f7; padding: .8rem 1rem; overflow-x: auto; border-radius: 3px; margin: 0 }
.status { border-radius: 3px; padding: 0 .35em; font-size: .72em; font-weight: 700; text-transform: uppercase;
  background: #dcdfe4; color: #44546f; white-space: nowrap }
.status.green { background: #dcfff1; color: #216e4e }
.status.red { background: #ffeceb; color: #ae2e24 }
.status.yellow { background: #fff7d6; color: #7f5f01 }
.status.blue { background: #e9f2ff; color: #0055cc }
.status.purple { background: #f3f0ff; color: #5e4db2 }
.panel { border-radius: 3px; padding: .6rem 1rem; margin: .8rem 0; background: #f4f5f7; border-left: 4px solid #8590a2 }
.panel > p { margin: .2rem 0 }
.panel.info { background: #e9f2ff; border-color: #0c66e4 }
.panel.note { background: #f3f0ff; border-color: #6e5dc6 }
.panel.warning { background: #ffeceb; border-color: #c9372c }
.panel.tip { background: #dcfff1; border-color: #22a06b }
.expand { border: 1px solid #dcdfe4; border-radius: 3px; padding: .4rem .8rem; margin: .8rem 0 }
.expand summary { cursor: pointer; font-weight: 600 }
.toc ul { list-style: none; padding: 0 }
.label { background: #f1f2f4; border-radius: 3px; padding: 0 .5em; margin-right: .4em }
.layout-section { display: flex; gap: 1.5rem }
.layout-cell { flex: 1; min-width: 0 }
.unavailable, .macro-error, .broken-link { background: #fff7d6; border: 1px dashed #b38600; padding: .1rem .5rem }
"""


def document(title: str, home: str, content: str) -> str:
    """A whole page of the site."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<style>{_STYLE}</style></head><body><header class="site"><a href="{escape(home)}">Confluence (sandbox)</a>'
        f"</header><main>{content}</main></body></html>"
    )
