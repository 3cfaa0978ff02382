#!/usr/bin/env python3
"""Reads JSON from the input and checks it against a schema:  check_schema.py SCHEMA"""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
try:
    jsonschema.Draft202012Validator(schema).validate(json.load(sys.stdin))
except jsonschema.ValidationError as error:
    sys.exit(f"{error.json_path}: {error.message}")
