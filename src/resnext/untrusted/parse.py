"""Reads untrusted JSON and YAML in bounded time and memory, with one kind of error."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.untrusted.names import shown

if TYPE_CHECKING:
    import yaml

MAX_JSON_BYTES = 64 * 2**20
MAX_YAML_BYTES = 2**20
MAX_YAML_NODES = 20_000
"""Maximum values of a YAML file; aliased values count each time they are used."""

MAX_YAML_DEPTH = 40
_MAX_INT_DIGITS = 100


def read_bytes(path: Path, max_bytes: int, *, follow_link: bool = True) -> bytes:
    """Read a regular file that is not larger than expected.

    Args:
        path: The file.
        max_bytes: Maximum size.
        follow_link: Follow a symbolic link; otherwise a link is an OSError.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not a regular file (a pipe or a device could block forever), or too large.
            The message is only the reason.
    """
    no_link = 0 if follow_link else getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | no_link)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not a regular file")
        # Python sets aside all the bytes that it is asked for: ask for those that there are.
        data = file.read(min(status.st_size, max_bytes) + 1)
        if status.st_size < len(data) <= max_bytes:
            data += file.read(max_bytes + 1 - len(data))
    if len(data) > max_bytes:
        raise ValueError(f"is larger than the {max_bytes:,} bytes accepted")
    return data


def read_text(path: Path, max_bytes: int, *, follow_link: bool = True) -> str:
    """Read a text file in UTF-8, with or without a byte order mark; see `read_bytes`."""
    return _as_text(read_bytes(path, max_bytes, follow_link=follow_link))


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read a JSON file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too large, or `parse_json` refuses it. The message is only the reason.
    """
    return parse_json(read_text(path, max_bytes))


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: It is not JSON, or nested too deeply. The message is only the reason.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is not valid JSON: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except ValueError as error:  # also a number of too many digits
        raise ValueError(f"is not valid JSON: {error}") from None


def parse_json_lines(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """Parse a log of one JSON object per line, skipping damaged lines.

    Returns:
        The objects, and the number of skipped lines: truncated, binary or of another kind.
    """
    rows = []
    lines = [line for line in data.split(b"\n") if line.strip()]
    for line in lines:
        with contextlib.suppress(ValueError):
            row = parse_json(line)
            if isinstance(row, dict):
                rows.append(row)
    return rows, len(lines) - len(rows)


def read_yaml(path: Path, max_bytes: int = MAX_YAML_BYTES, max_values: int = MAX_YAML_NODES) -> Any:
    """Read a YAML file; see `parse_yaml`.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too large, or `parse_yaml` refuses it. The message is only the reason.
    """
    return parse_yaml(read_text(path, max_bytes), max_values)


def parse_yaml(text: str, max_values: int = MAX_YAML_NODES) -> Any:
    """Parse YAML of plain values: mappings, lists, strings, numbers, booleans, null.

    Dates stay strings. Aliases work as long as the expanded values stay within bounds.

    Args:
        text: The YAML.
        max_values: Maximum number of values; aliased values count each time they are used.

    Raises:
        ValueError: It is not YAML, too large, nested too deeply, expands to too many values, refers
            to itself, or has a key that is not a string or occurs twice. The message is only the
            reason.
    """
    import yaml

    if len(text) > MAX_YAML_BYTES:
        raise ValueError(f"is larger than the {MAX_YAML_BYTES:,} characters accepted")
    if yaml.__with_libyaml__:  # ten times as fast; what it refuses, the other explains
        with contextlib.suppress(yaml.YAMLError, UnicodeEncodeError):
            return _parse_yaml(text, max_values, _loader(yaml.CSafeLoader))
    try:
        return _parse_yaml(text, max_values, _loader(yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"is not valid YAML: {_where(error)}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"is not valid YAML: {str(error).splitlines()[0]}") from None


def _parse_yaml(text: str, max_values: int, kind: type[yaml.SafeLoader]) -> Any:
    """Check the bounds and build the values with the same parser.

    Two parsers could differ, so that a text is small for one and large for the other.
    """
    _check_nesting(text, max_values, kind)
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _num_nodes(node, max_values, {}, set())
        return _construct(loader, node)
    finally:
        loader.dispose()


def _as_text(data: bytes) -> str:
    """Decode UTF-8; the mark that Windows programs put before it is left out."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start})") from None


def _where(error: yaml.MarkedYAMLError) -> str:
    """Describe the problem and its line; the library would quote the surrounding text."""
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}{error.problem or error.context}"


def _check_nesting(text: str, max_values: int, kind: type[yaml.SafeLoader]) -> None:
    """Limit values and depth before the recursive composer sees them."""
    import yaml

    depth = num_nodes = 0
    for event in yaml.parse(text, Loader=kind):
        num_nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise ValueError(f"is nested more than {MAX_YAML_DEPTH} levels deep")
        if num_nodes > max_values:
            raise ValueError(f"holds more than {max_values:,} values")


def _num_nodes(
    node: yaml.Node, max_values: int, counted: dict[int, int], open_nodes: set[int]
) -> int:
    """Count the values below a node, including aliased ones, and check the keys."""
    import yaml

    if id(node) in counted:
        return counted[id(node)]
    if id(node) in open_nodes:
        raise ValueError("contains an alias that refers to itself")
    total = 1
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
    if isinstance(node, yaml.CollectionNode):
        open_nodes.add(id(node))
        for child in node.value:
            for one in child if isinstance(child, tuple) else (child,):
                total += _num_nodes(one, max_values, counted, open_nodes)
        open_nodes.remove(id(node))
    if total > max_values:
        raise ValueError(f"expands to more than {max_values:,} values through its aliases")
    counted[id(node)] = total
    return total


def _check_keys(node: yaml.MappingNode) -> None:
    """Refuse keys that are not strings or occur twice."""
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag.endswith(":merge"):
            continue
        if not key.tag.endswith(":str") or not isinstance(key.value, str):
            raise _error(key, f"the key {shown(key.value)} is not a text; quote it")
        if key.value in seen:
            raise _error(key, f"the key {shown(key.value)} occurs twice")
        seen.add(key.value)


def _construct(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    import yaml

    try:
        return loader.construct_document(node)
    except (LookupError, TypeError, ValueError) as error:  # such as `!!bool maybe`
        if isinstance(error, yaml.YAMLError):
            raise
        raise ValueError("is not valid YAML: a value does not fit its tag") from None


_PLAIN_TAGS = ("null", "bool", "int", "float", "str", "seq", "map")


@functools.cache
def _loader(base: Any) -> type[yaml.SafeLoader]:
    """Return a loader of plain values with the parser of another loader."""
    import yaml

    class PlainLoader(base):  # type: ignore[misc]  # whichever parser there is
        """Supports no dates, sets, binary values or very long numbers."""

        yaml_constructors = {  # noqa: RUF012 - the library's own attribute
            tag: construct
            for tag, construct in yaml.SafeLoader.yaml_constructors.items()
            if tag is None or tag.rpartition(":")[2] in _PLAIN_TAGS
        }

        yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own attribute
            first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
            """Read a number of a bounded length."""
            text = str(self.construct_scalar(node))
            if len(text) > _MAX_INT_DIGITS:
                raise _error(node, f"a number of more than {_MAX_INT_DIGITS} digits")
            return int(super().construct_yaml_int(node))

    PlainLoader.add_constructor("tag:yaml.org,2002:int", PlainLoader.construct_yaml_int)
    return PlainLoader


def _error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    import yaml

    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
