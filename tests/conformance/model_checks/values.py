"""Values against the shapes of a service model."""

import base64
import re
from datetime import datetime
from functools import cache

from botocore.validate import ParamValidator, ValidationErrors

# Members that unit tests invented, to prove that unknown members survive.
ON_PURPOSE = r'Unknown parameter in .*"(\w+OfTomorrow|alsoNew)"'
# A response may have an empty list where the model, which it shares with requests, requires one item.
EMPTY = r"Invalid length for parameter .*, value: 0, valid min length: 1"
# AWS answers a table that never was decreased with 0, and its model requires 1.
NEVER_DECREASED = r"Invalid value for parameter .*\.NumberOfDecreasesToday, value: 0, valid min value: 1"
ANSWERED = [EMPTY, NEVER_DECREASED]


class Strict(ParamValidator):
    """botocore's validator, extended by enums, upper bounds and patterns, which it leaves to the service.

    With `wire`, timestamps and blobs are as in JSON.
    """

    def __init__(self, wire, allowed=()):
        self.wire = wire
        self.allowed = [*allowed, ON_PURPOSE]
        self.found = []

    def problems(self, value, shape):
        errors = ValidationErrors()
        self._validate(value, shape, errors, "")
        report = errors.generate_report().splitlines() if errors.has_errors() else []
        return [line for line in self.found + report if not any(re.search(reason, line) for reason in self.allowed)]

    def _say(self, name, text):
        self.found.append(f"{name.lstrip('.') or '(all)'}: {text}")

    def _at_most(self, name, shape, size, what):
        limit = shape.metadata.get("max")
        if limit is not None and size > limit:
            self._say(name, f"{what} {size}, at most {limit}")

    def _validate_structure(self, params, shape, errors, name):
        super()._validate_structure(params, shape, errors, name)
        if not isinstance(params, dict):
            return
        for key, value in params.items():
            if value is None:
                self._say(f"{name}.{key}", "null instead of nothing")

    def _validate_string(self, param, shape, errors, name):
        super()._validate_string(param, shape, errors, name)
        if not isinstance(param, str):
            return
        self._at_most(name, shape, len(param), "length")
        if shape.enum and param not in shape.enum:
            self._say(name, f"`{param}` is not one of {', '.join(shape.enum)}")
        pattern = shape.metadata.get("pattern")
        if pattern and not matches(pattern, param):
            self._say(name, f"`{param}` does not match {pattern}")

    def _validate_list(self, param, shape, errors, name):
        super()._validate_list(param, shape, errors, name)
        if isinstance(param, (list, tuple)):
            self._at_most(name, shape, len(param), "count")

    def _validate_map(self, param, shape, errors, name):
        super()._validate_map(param, shape, errors, name)
        if isinstance(param, dict):
            self._at_most(name, shape, len(param), "count")

    def _validate_integer(self, param, shape, errors, name):
        super()._validate_integer(param, shape, errors, name)
        if isinstance(param, int):
            self._at_most(name, shape, param, "value")

    _validate_long = _validate_integer

    def _validate_timestamp(self, param, shape, errors, name):
        expected = (int, float) if self.wire else datetime
        if isinstance(param, bool) or not isinstance(param, expected):
            self._say(name, f"`{param}` is not a timestamp")

    def _validate_blob(self, param, shape, errors, name):
        if not self.wire:
            return super()._validate_blob(param, shape, errors, name)
        try:
            base64.b64decode(param, validate=True)
        except (TypeError, ValueError):
            self._say(name, "a blob that is not base64")


@cache
def matches(pattern, text):
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error:
        # A few patterns are in another dialect (\\p{L}); those are not checked.
        return True
