"""Reading the drawings of a report."""

import base64
import xml.etree.ElementTree as ET


def parse_svg(address: str) -> str:
    """Return the SVG text of an address, having checked that it is well-formed."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/svg+xml;base64"
    text = base64.b64decode(content).decode()
    assert ET.fromstring(text).tag.endswith("svg")
    return text
