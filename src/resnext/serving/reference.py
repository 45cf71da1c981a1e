"""A self-contained reference page, generated from the OpenAPI description."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; background: #8882; border-radius: 4px }
pre { padding: .75rem; overflow-x: auto } code { padding: .1rem .3rem }
table { border-collapse: collapse } td { padding: .2rem 1rem .2rem 0; vertical-align: top }
:root { color-scheme: light dark }
"""
_EXAMPLES = """curl -F images=@cat.jpg -F images=@dog.png 'http://HOST/v1/predict?top=3'
curl -H 'Content-Type: application/json' \\
     -d '{"images": ["'"$(base64 -w0 cat.jpg)"'"]}' http://HOST/v1/predict
curl -F signals=@series.npy http://HOST/v1/predict   # a network for time series or volumes
curl -F signals=@call.wav http://HOST/v1/predict     # a network for audio; @clip.mp4 for video"""
# The page has no scripts, and may load none.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def reference_page(openapi: dict[str, Any]) -> HTMLResponse:
    """Return the page.

    Args:
        openapi: The description of the application.
    """
    info = openapi["info"]
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info.get('description', ''))}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
        f"<pre>{escape(_EXAMPLES)}</pre>{operations}</html>",
        headers=_HEADERS,
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (f"?{parameter['name']}=", parameter.get("description", ""))
        for parameter in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {})
    rows += [("body", kind) for kind in body]
    rows += [(code, answer["description"]) for code, answer in operation["responses"].items()]
    table = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(text)}</tr>" for name, text in rows
    )
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description', ''))}</p><table>{table}</table>"
    )
