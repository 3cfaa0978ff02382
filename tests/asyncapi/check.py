#!/usr/bin/env python3
"""Reads a document of AsyncAPI from the input and checks it:  check.py

First against document.schema.json, then what a schema cannot say: each reference leads to what may
stand there, and an address has the parameters that its channel describes.
"""

import json
import os
import re
import sys

import jsonschema


def fail(where, text):
    sys.exit(f"{where}: {text}")


def found(document, reference, where):
    """What a reference leads to, and its path."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in reference["$ref"][2:].split("/")]
    at = document
    for part in path:
        if not isinstance(at, dict) or part not in at:
            fail(where, f"nothing is at {reference['$ref']}")
        at = at[part]
    return path, at


def check_messages(document, of, where):
    on, _ = found(document, of["channel"], where)
    if on[:1] != ["channels"] or len(on) != 2:
        fail(where, "its channel is none")
    for message in of.get("messages", []):
        path, _ = found(document, message, where)
        if path[:3] != on + ["messages"] or len(path) != 4:
            fail(where, f"{message['$ref']} is no message of its channel")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "document.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.load(sys.stdin)
    try:
        jsonschema.Draft202012Validator(schema).validate(document)
    except jsonschema.ValidationError as error:
        fail(error.json_path, error.message)

    for key, channel in document.get("channels", {}).items():
        address = channel["address"] or ""
        named = re.findall(r"\{([^{}]*)\}", address)
        if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", address)):
            fail(key, f"the braces of {address} do not match")
        if len(set(named)) != len(named) or set(named) != set(channel.get("parameters", {})):
            fail(key, f"the parameters of {address} are not those of the channel")
        for server in channel.get("servers", []):
            path, _ = found(document, server, key)
            if path[:1] != ["servers"] or len(path) != 2:
                fail(key, f"{server['$ref']} is no server")
    for key, operation in document.get("operations", {}).items():
        check_messages(document, operation, key)
        if "reply" in operation:
            check_messages(document, operation["reply"], key)


main()
