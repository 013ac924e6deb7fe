from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from connectors.s3.bucket import S3Bucket
from connectors.s3.client import S3Settings, connect, endpoint_host
from connectors.s3.credentials import (
    FromChain,
    FromEnvironment,
    FromProfile,
    FromRole,
    session_with,
)
from connectors.s3.permissions import needed
from repatria.errors import AccessRefused, StoreRefused, Throttled, WriteRefused
from repatria.ports.bucket import ABSENT
from repatria.site import Role
from repatria.stored import About, ObjectVersion
from tests.unit.canned_s3 import SETTINGS, SITE, Answer, Canned, give_keys, sha256_hex

QUIET = Config(proxies={})


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    give_keys(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_a_reading_client_refuses_every_write_before_anything_is_sent() -> None:
    client: Any = connect(SETTINGS, read_only=True)
    sent: list[object] = []
    client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    with pytest.raises(WriteRefused):
        S3Bucket(client, SETTINGS).put("a", b"x", About(sha256=sha256_hex(b"x")), ABSENT)
    for call in (
        lambda: client.delete_object(Bucket="b", Key="k"),
        lambda: client.copy_object(Bucket="b", Key="k", CopySource="b/j"),
        lambda: client.create_bucket(Bucket="b"),
        lambda: client.put_bucket_versioning(Bucket="b", VersioningConfiguration={}),
        lambda: client.restore_object(Bucket="b", Key="k"),
        lambda: client.create_multipart_upload(Bucket="b", Key="k"),
    ):
        with pytest.raises(WriteRefused):
            call()  # type: ignore[no-untyped-call]
    assert sent == []


def test_what_is_let_through_only_reads() -> None:
    model = connect(SETTINGS, read_only=True).meta.service_model
    mutating = [
        name
        for name in model.operation_names
        if name.startswith(("Get", "Head", "List"))
        and model.operation_model(name).http["method"] not in ("GET", "HEAD")
    ]
    assert mutating == []


@pytest.mark.parametrize("status", [500, 503])
def test_the_sdk_makes_one_attempt(status: int) -> None:
    canned = Canned(SETTINGS, Answer(status), Answer(status))
    with pytest.raises(Exception, match="store"):
        canned.bucket.head("a")
    assert len(canned.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            301,
            b"<Error><Code>PermanentRedirect</Code></Error>",
            {"x-amz-bucket-region": "ap-southeast-1"},
        ),
        Answer(307, b"", {"location": "https://elsewhere.invalid/"}),
        Answer(
            400,
            b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-southeast-1</Region></Error>",
        ),
    ],
)
def test_no_redirect_is_followed(answer: Answer) -> None:
    canned = Canned(SETTINGS, answer, answer, answer)
    with pytest.raises(StoreRefused):
        list(canned.bucket.list("p/"))
    assert len(canned.requests) == 1


def test_the_environment_does_not_say_where_requests_go(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.setenv(name, "http://elsewhere.invalid")
    monkeypatch.setenv("AWS_REGION", "ap-southeast-1")
    client: Any = connect(replace(SETTINGS, endpoint_url=None), read_only=True)
    assert endpoint_host(client) == "s3.eu-west-1.amazonaws.com"
    assert client.meta.region_name == "eu-west-1"
    assert client._endpoint.http_session._proxy_config.proxy_url_for("https://x") is None


def test_credentials_come_from_the_named_variables_only() -> None:
    held = session_with(FromEnvironment("CANNED_"), "eu-west-1", QUIET).get_credentials()
    assert held is not None
    assert held.access_key == "AKIACANNED"
    assert session_with(FromEnvironment("NOBODY_"), "eu-west-1", QUIET).get_credentials() is None


def test_the_metadata_service_is_never_asked() -> None:
    session = session_with(FromChain(), "eu-west-1", QUIET)
    methods = [one.METHOD for one in session.get_component("credential_provider").providers]
    assert "iam-role" not in methods
    assert "env" in methods


def test_no_credentials_are_access_refused() -> None:
    settings = replace(SETTINGS, credentials=FromEnvironment("NOBODY_"))
    bucket = S3Bucket(connect(settings, read_only=True), settings)
    with pytest.raises(AccessRefused):
        bucket.head("a")


def test_an_unknown_profile_is_access_refused() -> None:
    with pytest.raises(AccessRefused):
        connect(replace(SETTINGS, credentials=FromProfile("nobody")), read_only=True)


def test_a_role_is_assumed_with_the_credentials_of_its_source() -> None:
    role = FromRole("arn:aws:iam::1:role/mover", "outside", "moves", FromEnvironment("CANNED_"))
    session = session_with(role, "eu-west-1", QUIET)
    asked: list[Any] = []

    def answer(request: Any, **_rest: object) -> AWSResponse:
        asked.append(request)
        body = (
            b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
            b"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            b"<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
            b"</AssumeRoleResponse>"
        )
        return Answer(200, body).response(request)

    provider: Any = session.get_component("credential_provider").providers[0]
    provider._source.get_component("event_emitter").register("before-send.sts", answer)
    held = session.get_credentials()
    assert held is not None
    assert held.get_frozen_credentials().access_key == "ASIA"
    body = asked[0].body if isinstance(asked[0].body, str) else asked[0].body.decode()
    assert "RoleSessionName=moves" in body
    assert "ExternalId=outside" in body
    assert "AKIACANNED" in str(asked[0].headers["Authorization"])
    assert "sts.eu-west-1." in asked[0].url


def test_settings_hold_no_secret() -> None:
    assert "not a secret" not in repr(SETTINGS) + repr(vars(S3Settings))


def test_no_role_needs_to_delete_and_a_rehearsal_needs_no_put() -> None:
    for role in Role:
        assert not any("Delete" in one.action for one in needed(role))
        assert not any("Put" in one.action for one in needed(role, rehearsing=True))
    assert any(one.action == "s3:PutObject" for one in needed(Role.ENCLAVE))
    assert not any("Put" in one.action for one in needed(Role.PRIMARY))


def test_a_throttled_store_is_told_apart() -> None:
    answer = Answer(503, b"<Error><Code>SlowDown</Code></Error>")
    with pytest.raises(Throttled) as caught:
        Canned(SETTINGS, answer).bucket.read(ObjectVersion("p/a", 10, "abc"))
    assert caught.value.facts == {
        "site": SITE,
        "operation": "GetObject",
        "status": 503,
        "code": "SlowDown",
    }
