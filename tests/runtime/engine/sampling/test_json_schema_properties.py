"""Random schemas: what satisfies one is allowed, and what the model writes satisfies it."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.engine.engine import Engine
from runtime.engine.sampling.json_schema import schema_grammar
from tests.runtime.engine.asking import submit
from tests.runtime.engine.sampling.conftest import Matches

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FEW = settings(SLOW, max_examples=6)
# The model's vocabulary lacks some bytes, and with them most rare characters.
NAMES = st.text(st.sampled_from('abcdxyz019 _-/\\"\n\t\b\x01[]{},:.é中😀'), max_size=4)
# Undeclared names are spelled without a \\u escape.
OTHER_NAMES = NAMES.filter(lambda name: "\x01" not in name)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-999, 999), NAMES)


@st.composite
def integers_and_values(draw: st.DrawFn) -> tuple[Any, Any]:
    low, high = sorted(draw(st.tuples(*[st.integers(-2000, 2000)] * 2)))
    bounds = draw(st.sampled_from([(low, high), (low, None), (None, high)]))
    schema: dict[str, Any] = {"type": "integer"}
    schema |= {} if bounds[0] is None else {"minimum": low}
    schema |= {} if bounds[1] is None else {"maximum": high}
    return schema, draw(st.integers(*bounds).filter(lambda value: abs(value) < 10**15))


@st.composite
def strings_and_values(draw: st.DrawFn) -> tuple[Any, Any]:
    value = draw(NAMES)
    low = draw(st.integers(0, len(value)))
    high = draw(st.none() | st.integers(len(value), 300))
    schema: dict[str, Any] = {"type": "string", "minLength": low}
    return schema | ({} if high is None else {"maxLength": high}), value


@st.composite
def enums_and_values(draw: st.DrawFn) -> tuple[Any, Any]:
    values = draw(st.lists(SCALARS | st.lists(SCALARS, max_size=2), min_size=1, max_size=4))
    return {"enum": values}, draw(st.sampled_from(values))


@st.composite
def arrays_and_values(draw: st.DrawFn, members: Any) -> tuple[Any, Any]:
    first = draw(st.lists(members, max_size=3))
    rest, item = draw(members)
    num_rest = draw(st.integers(0, 3))
    values = [value for _, value in first] + [item] * num_rest
    schema: dict[str, Any] = {"type": "array", "items": rest}
    if first:
        schema["prefixItems"] = [each for each, _ in first]
    values = values[: draw(st.integers(0, len(values)))]
    schema["minItems"] = draw(st.integers(0, len(values)))
    schema["maxItems"] = draw(st.integers(len(values), 9))
    return schema, values


@st.composite
def objects_and_values(draw: st.DrawFn, members: Any) -> tuple[Any, Any]:
    known = draw(st.dictionaries(NAMES, members, max_size=4))
    others, other = draw(members)
    present = [name for name in known if draw(st.booleans())]
    value = {name: known[name][1] for name in present}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: each for name, (each, _) in known.items()},
        "required": draw(st.lists(st.sampled_from(present), unique=True)) if present else [],
    }
    if draw(st.booleans()):
        schema["additionalProperties"] = others
        extra = draw(
            st.lists(OTHER_NAMES.filter(lambda name: name not in known), max_size=2, unique=True)
        )
        value |= dict.fromkeys(extra, other)
    return schema, value


@st.composite
def unions_and_values(draw: st.DrawFn, members: Any) -> tuple[Any, Any]:
    ways = draw(st.lists(members, min_size=1, max_size=3))
    key = draw(st.sampled_from(["anyOf", "oneOf"]))
    return {key: [each for each, _ in ways]}, draw(st.sampled_from(ways))[1]


LEAVES = st.one_of(
    integers_and_values(),
    strings_and_values(),
    enums_and_values(),
    SCALARS.map(lambda value: (True, value)),
)
SCHEMAS_AND_VALUES = st.recursive(
    LEAVES,
    lambda members: st.one_of(
        arrays_and_values(members), objects_and_values(members), unions_and_values(members)
    ),
    max_leaves=8,
)


@SLOW
@given(SCHEMAS_AND_VALUES, st.sampled_from([None, 1, 4]))
def test_what_satisfies_a_schema_is_allowed(
    matches: Matches, case: tuple[Any, Any], indent: int | None
) -> None:
    """A value made for a schema is allowed, on one line or indented."""
    schema, value = case
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert matches(schema_grammar(schema), text)


@SLOW
@given(st.integers(-3000, 3000), st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_integers_are_allowed_exactly_between_their_bounds(
    matches: Matches, low: int, high: int, value: int
) -> None:
    """Whatever the bounds, an integer is allowed if and only if it lies between them."""
    low, high = min(low, high), max(low, high)
    grammar = schema_grammar({"type": "integer", "minimum": low, "maximum": high})
    for each in (value, low - 1, low, high, high + 1):
        assert matches(grammar, str(each)) == (low <= each <= high)


@SLOW
@given(st.integers(-30, 30), st.integers(-30, 30), st.booleans(), st.decimals(-31, 31, places=2))
def test_numbers_are_allowed_exactly_between_their_bounds(
    matches: Matches, low: int, high: int, is_open: bool, value: Any
) -> None:
    """Whatever the bounds, a number is allowed if and only if it lies between them."""
    low, high = min(low, high), max(low, high) + 1
    low_key = "exclusiveMinimum" if is_open else "minimum"
    grammar = schema_grammar({"type": "number", low_key: low, "maximum": high})
    text = str(value).replace("-0.00", "0.00")
    is_inside = low <= value <= high and not (is_open and value == low)
    assert matches(grammar, text) == is_inside


@SLOW
@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), NAMES)
def test_a_declared_name_is_no_other(matches: Matches, names: list[str], other: str) -> None:
    """A declared property cannot come as one of the others, and any other name can."""
    declared: dict[str, Any] = {name: {"type": "null"} for name in names}
    grammar = schema_grammar({"properties": declared, "additionalProperties": {"const": 1}})
    for name in (*names, other):
        text = json.dumps({name: 1}, ensure_ascii=False)
        # Control characters that have no escape of one letter are left to declared names.
        if "\\u" not in text:
            assert matches(grammar, text) == (name not in names)


@FEW
@given(SCHEMAS_AND_VALUES, st.integers(0, 9))
def test_the_model_writes_only_what_the_grammar_allows(
    engine: Engine, matches: Matches, case: tuple[Any, Any], seed: int
) -> None:
    """Whatever the schema, a finished text is JSON, and the whole of what it allows."""
    grammar = schema_grammar(case[0])
    asked = submit(engine, "As JSON: ", grammar=grammar, seed=seed, max_tokens=20)
    text = asked.text()
    if asked.finished.reason == "stop":
        json.loads(text)
        assert matches(grammar, text)
