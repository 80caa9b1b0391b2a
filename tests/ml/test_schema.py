import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.ml.schema import ROLES, Mapping
from consortium.protocol.errors import Refused

RAW = {"id": "i", "time": "t", "account": "a", "amount": "m"}


def refusal(**changes: object) -> Refused:
    with pytest.raises(Refused) as caught:
        Mapping.from_json(json.dumps({"columns": RAW} | changes))
    assert str(caught.value)
    return caught.value


def test_a_mapping_survives_the_way_through_json():
    mapping = Mapping.from_json(
        {
            "columns": RAW | {"counterparty": "c", "label": "y", "bank": "b"},
            "zone": "Asia/Tokyo",
            "extra": ["v1", "v2"],
            "amount_digits": 0,
        }
    )
    assert Mapping.from_json(json.dumps(mapping.to_json())) == mapping
    assert mapping.kind == "behaviour"
    assert mapping.role_of("c") == "counterparty"
    assert mapping.role_of("v1") == "extra_v1"
    assert mapping.role_of("other") is None


def test_without_an_account_the_features_are_taken_as_ready():
    mapping = Mapping.from_json(
        {"columns": {"time": "Time", "amount": "Amount", "label": "Class"}, "extra": ["V1"]}
    )
    assert mapping.kind == "ready"
    assert mapping.source_columns() == ("Time", "Amount", "Class", "V1")


def test_an_unknown_entry_is_refused_by_name():
    assert "currencies" in str(refusal(currencies=["JPY"]))


def test_an_unknown_role_is_refused_with_the_roles_there_are():
    sentence = str(refusal(columns=RAW | {"terminal": "x"}))
    assert '"terminal"' in sentence
    assert "counterparty" in sentence


@pytest.mark.parametrize("role", ["id", "time", "amount"])
def test_a_missing_required_role_is_named(role):
    columns = {key: name for key, name in RAW.items() if key != role}
    assert f'"{role}"' in str(refusal(columns=columns))


def test_one_column_cannot_play_two_roles():
    assert '"t"' in str(refusal(columns=RAW | {"label": "t"}))
    assert '"a"' in str(refusal(extra=["a"]))


@pytest.mark.parametrize("zone", ["Mars/Base", "", 3, "../etc", None])
def test_a_time_zone_that_does_not_exist_is_refused(zone):
    assert refusal(zone=zone).field == "zone"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "other"},
        {"kind": []},
        {"time_unit": "minutes"},
        {"amount_digits": 9},
        {"amount_digits": True},
        {"extra": "v1"},
        {"extra": [1]},
        {"columns": []},
        {"columns": RAW | {"label": 3}},
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(changes):
    refusal(**changes)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', b"\xff"])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(Refused):
        Mapping.from_json(text)


def test_a_column_the_data_lack_is_named_with_those_there_are():
    with pytest.raises(Refused, match=r'"m".*i, t, a'):
        Mapping(columns=RAW).check_source(["i", "t", "a"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["columns", "zone", "extra", "kind", "time_unit", "amount_digits", "x"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=4)
        | st.lists(st.text(max_size=3), max_size=3)
        | st.dictionaries(st.sampled_from(ROLES), st.text(max_size=3), max_size=10),
    )
)
def test_any_object_is_either_a_mapping_or_refused(body):
    try:
        mapping = Mapping.from_json(json.dumps(body))
    except Refused:
        return
    assert Mapping.from_json(mapping.to_json()) == mapping
