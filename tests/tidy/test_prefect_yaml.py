"""prefect.yaml: Prefect ignores what it does not know, so that a slip would vanish in silence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from prefect.cli.deploy._models import (
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    WorkPoolConfig,
)
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from pydantic import BaseModel

from tests.tidy.house import ROOT

RAW: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = RAW["deployments"]
VERBS = {"plan", "rehearse", "migrate", "verify"}


def known(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    loaded: Flow[..., Any] = load_flow_from_entrypoint(deployment["entrypoint"])
    return loaded


def test_every_verb_that_works_on_data_has_one_deployment() -> None:
    assert sorted(it["name"] for it in DEPLOYMENTS) == sorted(VERBS)


def test_prefect_knows_every_key_of_the_file() -> None:
    assert set(RAW) <= known(PrefectYamlModel)


def test_no_step_builds_or_pulls_anything() -> None:
    assert [RAW["build"], RAW["push"], RAW["pull"]] == [None, None, []]
    assert [it for it in DEPLOYMENTS if {"build", "push", "pull"} & set(it)] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda it: it["name"])
class TestEveryDeployment:
    def test_has_keys_that_prefect_knows(self, deployment: dict[str, Any]) -> None:
        assert set(deployment) <= known(DeploymentConfig)
        assert set(deployment["work_pool"]) <= known(WorkPoolConfig)
        limit = deployment["concurrency_limit"]
        assert isinstance(limit, int) or set(limit) <= known(ConcurrencyLimitSpec)

    def test_names_a_flow_by_a_dotted_entrypoint(self, deployment: dict[str, Any]) -> None:
        assert ":" not in deployment["entrypoint"]
        assert "/" not in deployment["entrypoint"]
        assert flow_of(deployment).name == deployment["name"]

    def test_runs_in_the_one_pool_with_a_limit_and_tags(self, deployment: dict[str, Any]) -> None:
        assert deployment["work_pool"] == {"name": "repatria"}
        assert deployment["concurrency_limit"] >= 1
        assert "repatria" in deployment["tags"]

    def test_has_default_parameters_that_validate(self, deployment: dict[str, Any]) -> None:
        assert deployment["enforce_parameter_schema"] is True
        validated = flow_of(deployment).validate_parameters(deployment["parameters"])
        assert getattr(validated["request"], "mode", "rehearsal") == "rehearsal"

    def test_refuses_a_parameter_that_nobody_knows(self, deployment: dict[str, Any]) -> None:
        loaded = flow_of(deployment)
        with pytest.raises(Exception, match="Extra inputs"):
            loaded.validate_parameters({"request": {"destination": "elsewhere"}})

    def test_makes_a_form_whose_every_field_is_titled_and_explained(
        self, deployment: dict[str, Any]
    ) -> None:
        definitions = parameter_schema(flow_of(deployment).fn).definitions or {}
        fields = [
            field for it in definitions.values() for field in it.get("properties", {}).items()
        ]
        assert fields
        bare = [name for name, it in fields if "description" not in it]
        titled = {name for name, it in fields if it.get("title") or "$ref" in it}
        assert bare == []
        assert titled == {name for name, _ in fields}


def test_a_template_is_no_name() -> None:
    migrate = next(it for it in DEPLOYMENTS if it["name"] == "migrate")
    loaded = flow_of(migrate)
    for name in ("{{ prefect.blocks.secret.key }}", "../IE", "IE;DE", ""):
        with pytest.raises(Exception, match="pattern"):
            loaded.validate_parameters({"request": {"regions": [name]}})
