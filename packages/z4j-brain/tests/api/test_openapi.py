"""The committed API document is the one the server gives."""

from __future__ import annotations

import json
from pathlib import Path

from z4j_brain.app import ENDPOINTS
from z4j_brain.cli.openapi import main

SPEC = Path(__file__).parents[4] / "spec" / "openapi.json"


def test_the_committed_document_has_not_drifted(capsys):
    code = main([])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == json.loads(SPEC.read_text("utf-8")), (
        "run: z4j openapi > spec/openapi.json"
    )


def test_every_operation_has_its_own_id_and_every_reference_a_schema():
    document = json.loads(SPEC.read_text("utf-8"))
    operations = [each for path in document["paths"].values() for each in path.values()]
    ids = [each["operationId"] for each in operations]
    text = json.dumps(document)

    assert len(ids) == len(set(ids)) == sum(each.in_schema for each in ENDPOINTS) > 25
    assert all(each["summary"] for each in operations)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.split('"')[0] in document["components"]["schemas"]
