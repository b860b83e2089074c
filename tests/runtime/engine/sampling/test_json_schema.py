"""Tests of JSON schemas as grammars, with llama.cpp's sampler and the real model's vocabulary."""

import json
import time
from typing import Any

import pytest

from runtime.engine.engine import Engine
from runtime.engine.sampling.json_schema import schema_grammar
from runtime.engine.sampling.schema_errors import SchemaError
from tests.runtime.engine.asking import submit
from tests.runtime.engine.sampling.conftest import Matches

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/list"}},
    "required": ["value", "next"],
}
LIST = {"$defs": {"node": NODE, "list": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}
TREE = {"type": "object", "properties": {"sons": {"type": "array", "items": {"$ref": "#"}}}}
SUBSET = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "c": {"type": "integer"}},
    "required": ["b"],
}
OPEN = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "no": {"type": "null"}},
    "additionalProperties": {"type": "integer"},
}
PAIR = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}
MERGED = {
    "allOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"properties": {"b": {"type": "string"}, "a": {"minimum": 3}}},
    ]
}

# Schema, texts that satisfy it, texts that do not.
CASES: list[tuple[Any, list[str], list[str]]] = [
    (True, ["1", '{"a": [null, true]}', '"x"', "-1.5e-7"], ["", "nul", "01", "{]"]),
    ({}, ["[1]", "{}"], ["x"]),
    (
        {"type": "string"},
        ['""', '"é😀"', '"\\u00e9\\n"', '"\\ud83d\\ude00"'],
        ['"', '"\\ud83d"', '"\n"'],
    ),
    ({"type": "integer"}, ["0", "-17"], ["1.5", "1e3", "true", "+1"]),
    ({"type": "number"}, ["0.5", "-1e10", "3"], [".5", "1."]),
    ({"type": ["integer", "null"]}, ["3", "null"], ['"3"']),
    ({"type": "boolean"}, ["true", "false"], ["null"]),
    ({"type": "integer", "nullable": True}, ["3", "null"], ["true"]),
    ({"nullable": True, "minLength": 2}, ['"ab"', "null"], ['"a"']),
    (
        {"enum": ["red", 3, None, {"a": [1]}]},
        ['"red"', "3", "null", '{"a": [1]}', '{"a":[1]}'],
        ["4"],
    ),
    ({"type": "string", "enum": ["red", 3]}, ['"red"'], ["3"]),
    ({"const": 'say "hi"\n'}, [r'"say \"hi\"\n"'], ['"say"']),
    ({"const": "x", "enum": ["x", "y"]}, ['"x"'], ['"y"']),
    (
        SUBSET,
        ['{"b":1}', '{"a": 1, "b": 2}', '{"b": 2,\n  "c": 3}', '{"a":1,"b":2,"c":3}'],
        ["{}", '{"a":1}', '{"b":1,"a":1}', '{"b":1,}', '{,"b":1}', '{"b":1,"d":1}'],
    ),
    (
        OPEN,
        [
            "{}",
            '{"name": "x"}',
            '{"nam": 1}',
            '{"names": 1, "n": 2}',
            '{"no": null, "z": 1}',
            '{"name": "x", "no": null, "nob": 1}',
            '{"": 1}',
        ],
        ['{"name": 1}', '{"no": 1}', '{"z": "x"}', '{"z": 1, "name": "x"}'],
    ),
    ({"type": "object"}, ["{}", '{"a": {"b": 1}}'], ["[]"]),
    ({"type": "object", "additionalProperties": False}, ["{}"], ['{"a": 1}']),
    (
        {"type": "object", "additionalProperties": {"type": "null"}},
        ["{}", '{"a":null}'],
        ['{"a":1}'],
    ),
    ({"required": ["x"]}, ['{"x": 1}', '{"x": [], "y": 2}'], ["{}", '{"y": 1}']),
    ({"properties": {"a": False, "b": True}}, ['{"b": 1}', "{}"], ['{"a": 1}']),
    (
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3},
        ["[1]", "[1, 2, 3]", "[1,2]"],
        ["[]", "[1,2,3,4]", '["a"]'],
    ),
    ({"type": "array", "maxItems": 0}, ["[]"], ["[1]"]),
    ({"type": "array", "maxItems": 1}, ["[]", "[{}]"], ["[1,2]"]),
    (
        {"type": "array", "minItems": 250, "maxItems": 420},
        [json.dumps([1] * n) for n in (250, 300, 399, 400, 420)],
        [json.dumps([1] * n) for n in (249, 421, 500)],
    ),
    (PAIR, ["[]", "[1]", '[1, "a"]', '[1, "a", null]'], ['["a"]', "[1, 2]"]),
    (PAIR | {"items": False, "minItems": 2}, ['[1, "a"]'], ["[1]", '[1, "a", 3]']),
    (
        {"items": [{"type": "null"}], "additionalItems": {"type": "integer"}},
        ["[null, 1, 2]"],
        ["[1]"],
    ),
    (
        {"type": "string", "minLength": 2, "maxLength": 4},
        ['"ab"', '"\\n\\u0041é"', '"abcd"'],
        ['"a"', '"abcde"'],
    ),
    (
        {"type": "string", "maxLength": 2500},
        ['"' + "a" * n + '"' for n in (0, 99, 101, 2500)],
        ['"' + "a" * 2501 + '"'],
    ),
    (
        {"type": "integer", "minimum": 3, "maximum": 120},
        ["3", "9", "10", "99", "120"],
        ["2", "121", "03", "1000", "-3"],
    ),
    (
        {"type": "integer", "exclusiveMinimum": -12, "maximum": 5},
        ["-11", "-1", "0", "5"],
        ["-12", "-20", "6", "-0", "10"],
    ),
    ({"type": "integer", "minimum": 7}, ["7", "10", "123456"], ["6", "-8"]),
    ({"type": "integer", "exclusiveMaximum": -7.5}, ["-8", "-100"], ["-7", "0", "7"]),
    (
        {"type": "number", "minimum": 0, "maximum": 1},
        ["0", "0.25", "1", "1.0"],
        ["1.1", "-0.5", "2"],
    ),
    (
        {"type": "number", "minimum": -2, "exclusiveMaximum": 0},
        ["-2", "-1.99", "-0.1", "-2.0"],
        ["-2.1", "0", "1", "-0"],
    ),
    ({"type": "number", "exclusiveMinimum": 10}, ["10.1", "11", "200.5"], ["10", "10.0", "9.9"]),
    ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, ["1"], ["0"]),
    (
        {"format": "date"},
        ['"2024-02-29"', '"1999-12-31"', '"2000-02-29"'],
        ['"2023-02-29"', '"1900-02-29"', '"2024-04-31"', '"2024-13-01"', '"24-01-01"'],
    ),
    ({"format": "time"}, ['"23:59:59Z"', '"00:00:00.5+01:30"'], ['"24:00:00Z"', '"10:00:00"']),
    ({"format": "date-time"}, ['"2024-01-31T10:00:00Z"'], ['"2024-01-31"']),
    ({"format": "uuid"}, ['"123e4567-e89b-12d3-a456-426614174000"'], ['"123e4567"']),
    ({"type": "string", "format": "email"}, ['"any"'], ["1"]),
    ({"anyOf": [{"type": "integer"}, {"type": "array"}, False]}, ["1", "[1]"], ['"a"']),
    (
        {
            "properties": {"k": {"type": "null"}},
            "required": ["k"],
            "oneOf": [
                {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
            ],
        },
        ['{"k": null, "a": 1}', '{"k": null, "b": 1}'],
        ['{"k": null}', '{"a": 1}'],
    ),
    (MERGED, ['{"a": 3}', '{"a": 4, "b": ""}'], ['{"a": 2}', '{"b": ""}']),
    ({"allOf": [{"type": "number"}, {"type": ["integer", "string"]}]}, ["3"], ['"a"', "3.5"]),
    ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 1, 7]}]}, ["1", "3"], ["2", "7"]),
    (
        {"$ref": "#/$defs/list", **LIST},
        ["null", '{"value":1,"next":null}', '{"value": 1, "next": {"value": 2, "next": null}}'],
        ['{"value":1}', "1"],
    ),
    (TREE, ["{}", '{"sons": [{}, {"sons": [{}]}]}'], ['{"sons": [1]}']),
    ({"$defs": {"a/b~": {"type": "null"}}, "$ref": "#/$defs/a~1b~0"}, ["null"], ["1"]),
    (
        {
            "definitions": {"x": {"anyOf": [{"$ref": "#/definitions/x"}, {"type": "null"}]}},
            "$ref": "#/definitions/x",
        },
        ["null"],
        ["1"],
    ),
]


@pytest.mark.parametrize(("schema", "good", "bad"), CASES, ids=lambda case: str(case)[:40])
def test_the_grammar_is_that_of_the_schema(
    matches: Matches, schema: Any, good: list[str], bad: list[str]
) -> None:
    """What satisfies a schema is allowed, and what does not is not."""
    grammar = schema_grammar(schema)
    assert [text for text in good if not matches(grammar, text)] == []
    assert [text for text in bad if matches(grammar, text)] == []


PATTERNS: list[tuple[str, list[str], list[str]]] = [
    ("^abc$", ["abc"], ["ab", "abcd", "xabc"]),
    ("b", ["abc", "b", "\nb"], ["ac", ""]),
    ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
    (r"^\d{3}-[A-Fa-f_]+$", ["123-aF_"], ["12-a", "123-", "123-g"]),
    (r"^(foo|ba[rz])?\.x*$", ["foo.xx", "bar.", "."], ["fo.", "foobar."]),
    (r"^[^a-c]$", ["d", '"', "\\", "\n", "é", "😀"], ["a", "c", "dd", ""]),
    (r'^["\\\]\-\^]{2,}$', ['"\\', "]-^"], ['"', "a\\"]),
    (r"^\w+\s\S$", ["ab c", "a\té"], ["ab  ", "a-b c"]),
    (r"^.{2}$", ["ab", '"é'], ["a\n", "a"]),
    (r"^(?:a{0}b+?)$", ["b", "bb"], ["ab"]),
    (r"^\x41\u00e9\/$", ["Aé/"], ["A"]),
    ("^$", [""], ["a"]),
    ("", ["", "a"], []),
    (r"^(a|)b{150,250}$", ["a" + "b" * 150, "b" * 250], ["b" * 149, "b" * 251]),
    (r"^\D\W$", ["a-"], ["1-", "aa"]),
    (r"^a{,2}$", ["a{,2}"], ["aa"]),
]


@pytest.mark.parametrize(("pattern", "good", "bad"), PATTERNS)
def test_patterns(matches: Matches, pattern: str, good: list[str], bad: list[str]) -> None:
    """A pattern means what it does elsewhere, over the text and not its JSON."""
    grammar = schema_grammar({"type": "string", "pattern": pattern})
    assert [
        text for text in good if not matches(grammar, json.dumps(text, ensure_ascii=False))
    ] == []
    assert [text for text in bad if matches(grammar, json.dumps(text, ensure_ascii=False))] == []


DEEP: Any = {"type": "null"}
for _ in range(200):
    DEEP = {"type": "array", "items": DEEP}
DEEPER: Any = 1
for _ in range(100_000):
    DEEPER = [DEEPER]
TWICE = {
    str(number): {"allOf": [{"$ref": f"#/$defs/{number + 1}"}] * 2} for number in range(25)
} | {"25": {}}

BAD: list[tuple[Any, str]] = [
    (3, "at #, a schema must be an object, true or false"),
    (False, "at #, no value is allowed"),
    ({"type": "date"}, 'at #, the type "date" is unknown'),
    ({"type": []}, "type is empty"),
    ({"enum": []}, "no value is allowed"),
    ({"enum": "a"}, "enum has a value of the wrong type"),
    ({"type": "string", "enum": [1]}, "no value is allowed"),
    ({"enum": ["a"], "minLength": 3}, "minLength beside enum or const is not supported"),
    ({"properties": {"a": {"items": {"type": 3}}}}, "at #/properties/a/items, the type 3"),
    ({"properties": []}, "properties has a value of the wrong type"),
    ({"required": [1]}, "required must name properties"),
    ({"required": ["a"], "additionalProperties": False}, "no value is allowed"),
    ({"properties": {"a": False}, "required": ["a"]}, "at #/properties/a, no value"),
    ({"minItems": 3, "maxItems": 2}, "minItems 3 is more than maxItems 2"),
    ({"prefixItems": [{}], "items": False, "minItems": 2}, "at #/items, no value is allowed"),
    ({"minItems": -1}, "minItems must be a whole number"),
    ({"minLength": 3, "maxLength": 2}, "minLength 3 is more than maxLength 2"),
    ({"minLength": "3"}, "minLength must be a whole number"),
    ({"pattern": "a", "minLength": 3}, "one at a time"),
    ({"type": "integer", "minimum": 3, "exclusiveMaximum": 4, "exclusiveMinimum": 3}, "no integer"),
    ({"type": "number", "minimum": 3, "exclusiveMaximum": 3}, "no number"),
    ({"type": "number", "minimum": 0.5}, "only as whole numbers"),
    ({"type": "integer", "minimum": 10**31}, "minimum is beyond"),
    ({"minimum": "3"}, "minimum must be a number"),
    ({"not": {}}, "not is not supported"),
    ({"patternProperties": {}}, "patternProperties is not supported"),
    ({"multipleOf": 2}, "multipleOf is not supported"),
    ({"uniqueItems": True}, "uniqueItems is not supported"),
    ({"anyOf": []}, "anyOf is empty"),
    ({"anyOf": [False, {"type": "nil"}]}, "at #/anyOf/1, the type"),
    ({"anyOf": [False, False]}, "at #/anyOf/0, no value is allowed"),
    ({"allOf": [{"type": "string"}, {"type": "null"}]}, "no type is allowed by all parts"),
    ({"allOf": [{"const": 1}, {"const": 2}]}, "no value is allowed by all enums"),
    ({"allOf": [{"pattern": "a"}, {"pattern": "b"}]}, "two different pattern must hold"),
    (
        {
            "allOf": [
                {"properties": {"a": {}}, "additionalProperties": False},
                {"properties": {"b": {}}, "required": ["b"]},
            ]
        },
        "no value is allowed",
    ),
    ({"$ref": "#/$defs/none"}, '$ref "#/$defs/none" leads nowhere'),
    ({"$ref": "https://example.com/a.json"}, "is no local one"),
    ({"$ref": "#"}, "references lead to references without end"),
    (
        {
            "$defs": {"a": {"required": ["x"], "properties": {"x": {"$ref": "#/$defs/a"}}}},
            "$ref": "#/$defs/a",
        },
        "contains itself without end",
    ),
    ({"$defs": TWICE, "$ref": "#/$defs/0"}, "more than 3000 schemas"),
    ({"properties": {str(number): {} for number in range(4000)}}, "more than 3000 schemas"),
    ({"allOf": [{"anyOf": [{}] * 1000}, {"anyOf": [{}] * 1000}]}, "multiply to 1000000"),
    (DEEP, "it nests more than 60 deep"),
    ({"enum": [DEEPER]}, "at #, it nests too deep"),
    ({"properties": {"a" * 201: {}}, "additionalProperties": True}, "over 200 characters"),
] + [
    ({"pattern": pattern}, reason)
    for pattern, reason in [
        ("(a", "has a ( without a )"),
        ("a)", "has a ) without a ("),
        ("[a", "ends too early"),
        ("[]", "has an empty class"),
        ("[z-a]", "wrong way round"),
        ("a{3,2}", "wrong way round"),
        ("*a", "has a * with nothing before it"),
        ("a**", "two quantifiers"),
        ("(a*)*", "repeats what may be empty"),
        ("a{99999}", "more than 10000 times"),
        ("(?=a)", "of which only (?: is supported"),
        (r"\bword", r"the escape \b, which is not supported"),
        (r"(a)\1", r"the escape \1"),
        (r"\p{L}", r"the escape \p"),
        (r"\x4", "hexadecimal digits"),
        ("(^a)", "a ^ that is not at the start"),
        ("(a$)", "an anchor inside a group"),
        ("a$b", "a $ that is not at the end"),
        ("a\\", "ends too early"),
        ("(" * 50 + "a" + ")" * 50, "nests groups over 30 deep"),
    ]
]


@pytest.mark.parametrize(("schema", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_schema_that_cannot_be_used_says_why(schema: Any, reason: str) -> None:
    """The error names the place and the reason, and comes at once."""
    started = time.monotonic()
    with pytest.raises(SchemaError) as caught:
        schema_grammar(schema)
    assert reason in str(caught.value)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {f"property {number}": {} for number in range(900)}},
        {"properties": {f"p{number}": {} for number in range(300)}, "additionalProperties": True},
        {"prefixItems": [{"type": "integer"}] * 900},
        {"minLength": 10**9, "maxLength": 2 * 10**9},
        {"enum": [f"word number {number}" for number in range(3000)]},
        {"pattern": "^" + "(" * 30 + "a{10000}" + "){10000}" * 30 + "$"},
    ],
    ids=["properties", "others", "items", "length", "enum", "pattern"],
)
def test_large_schemas_are_read_quickly(matches: Matches, schema: Any) -> None:
    """Compiling, parsing and a first token of a large schema take no more than seconds."""
    started = time.monotonic()
    matches(schema_grammar(schema), "")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("schema", [MERGED, OPEN, {"$ref": "#/$defs/list", **LIST}, SUBSET])
def test_the_model_writes_what_the_schema_says(
    engine: Engine, matches: Matches, schema: Any, seed: int
) -> None:
    """A finished text of the real model is JSON that satisfies the schema."""
    grammar = schema_grammar(schema)
    asked = submit(engine, "An object as JSON: ", grammar=grammar, seed=seed, max_tokens=60)
    text = asked.text()
    if asked.finished.reason == "stop":
        json.loads(text)
        assert matches(grammar, text)
