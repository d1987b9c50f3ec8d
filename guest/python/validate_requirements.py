"""Compares an agent's requirements.txt with what this Python has. Used by validate.py. Python 3.8 or newer.

Nothing is installed from the file, nothing is fetched: it is read as a list of names.
"""

import importlib
import importlib.metadata
import re

MOST_BYTES = 64 * 1024
NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)$", re.S)


def requirement_parser():
    """The parser of pip's own requirements, where this Python has one."""
    for module in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return importlib.import_module(module).Requirement
        except ImportError:
            pass
    return None


def installed():
    versions = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            versions.setdefault(normal(name), distribution.version)
    return versions


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def look_at_requirements(path, report):
    with open(path, "rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        report.found("requirement", None, "over %d KiB: not read" % (MOST_BYTES >> 10))
        return
    versions, parser = installed(), requirement_parser()
    number, lines = 0, raw.decode("utf-8-sig", "replace").split("\n")
    while number < len(lines):
        first, text = number + 1, lines[number].rstrip("\r")
        while text.endswith("\\") and number + 1 < len(lines):
            number += 1
            text = text[:-1] + lines[number].rstrip("\r")
        number += 1
        text = re.sub(r"(^|\s)#.*$", "", text).strip()
        if text:
            why = unmet(text, versions, parser)
            if why is not None:
                report.found("requirement", first, why)


def unmet(text, versions, parser):
    if text.startswith("-"):
        return "an option of pip's: nothing is installed from this file, so it does nothing"
    text = re.split(r"\s--?[a-z]", text)[0]  # --hash and the like
    match = NAME.match(text)
    if match is None or match.group(3)[:1] in ("/", ":", "\\") or "://" in text:
        return "not a package's name: nothing is fetched or installed from this file"
    marker = specifier = None
    if parser is not None:
        try:
            requirement = parser(text)
        except Exception:
            return "not a requirement that pip understands: %s" % text
        marker, specifier = requirement.marker, requirement.specifier
    elif ";" in text:
        return None  # when it holds cannot be told here
    if marker is not None and not marker.evaluate({"extra": ""}):
        return None
    version = versions.get(normal(match.group(1)))
    if version is None:
        return "%s is not installed where the agent runs, and nothing is installed from this file" % match.group(1)
    if specifier is not None and not specifier.contains(version, prereleases=True):
        return "%s is installed in version %s, and %s is asked for" % (match.group(1), version, specifier)
    return None
