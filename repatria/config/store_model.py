"""The store of a site, as the configuration writes it."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from repatria.config.endpoint import checked_endpoint
from repatria.config.size import Bytes
from repatria.config.strict_model import FileText, Place, Strict, folder_like
from repatria.store import (
    AssumedRole,
    Credentials,
    DefaultChain,
    Encryption,
    Etags,
    FromEnvironment,
    Profile,
    Store,
)

_KEY_ARN: Final = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+$"
_ROLE_ARN: Final = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$"
_REFERENCE: Final = (
    "expected a reference: {profile: name}, {environment: PREFIX}, {assume_role: arn} or default"
)

ProfileText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@+-]{1,64}$")]


class ProfileModel(Strict):
    """A profile of the AWS configuration files."""

    profile: ProfileText
    """Its name in `~/.aws/config` or `~/.aws/credentials`."""

    def noun(self) -> Credentials:
        """Return the noun of this model."""
        return Profile(self.profile)


class EnvironmentModel(Strict):
    """Variables of the environment with a common prefix."""

    environment: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
    """PREFIX of the variables PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY and, where it is set,
    PREFIX_SESSION_TOKEN."""

    def noun(self) -> Credentials:
        """Return the noun of this model."""
        return FromEnvironment(self.environment)


class RoleModel(Strict):
    """A role that is assumed."""

    assume_role: Annotated[str, StringConstraints(pattern=_ROLE_ARN)]
    """ARN of the role."""

    external_id: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")] | None
    ) = None
    """External id that the role's trust policy asks for."""

    profile: ProfileText | None = None
    """Profile to begin from; without one the SDK's default chain."""

    def noun(self) -> Credentials:
        """Return the noun of this model."""
        return AssumedRole(
            role=self.assume_role, external_id=self.external_id, profile=self.profile
        )


def _form(value: object) -> str | None:
    if value == "default":
        return "<default>"
    if isinstance(value, dict):
        return next(
            (f"<{k}>" for k in ("assume_role", "environment", "profile") if k in value), None
        )
    return None


CredentialsModel = Annotated[
    Annotated[ProfileModel, Tag("<profile>")]
    | Annotated[EnvironmentModel, Tag("<environment>")]
    | Annotated[RoleModel, Tag("<assume_role>")]
    | Annotated[Literal["default"], Tag("<default>")],
    Discriminator(_form, custom_error_type="reference", custom_error_message=_REFERENCE),
]


class ThrottleModel(Strict):
    """How hard the store may be pressed by one run."""

    requests_per_s: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """Requests per second."""

    bytes_per_s: Annotated[int, Bytes()] | None = None
    """Bytes per second, both ways together."""


class PatienceModel(Strict):
    """How long a store may be silent before a request counts as lost."""

    connect_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds until a connection stands."""

    read_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds without a byte of an answer."""


class StoreModel(Strict):
    """An S3 bucket, or a part of one."""

    kind: Literal["s3"] = "s3"
    """What the store speaks."""

    endpoint: (
        Annotated[
            str,
            AfterValidator(checked_endpoint),
            WithJsonSchema({"type": "string", "pattern": "^https?://[^/?#@]+/?$"}),
        ]
        | None
    ) = None
    """`https://host[:port]`; nothing for AWS itself. `http` is for loopback addresses alone."""

    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    """The region that requests are signed for, and that the store must report as its location."""

    bucket: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$")
    ]
    """The bucket."""

    prefix: Annotated[str, AfterValidator(folder_like)] = ""
    """The part of the bucket that is ours: empty, or ending in `/`."""

    path_style: bool = False
    """Whether the bucket's name stands in the path rather than in the host's name."""

    ca_bundle: FileText | None = None
    """File with the certificates to trust instead of the system's."""

    credentials: CredentialsModel
    """Where the credentials are; never the credentials."""

    expected_owner: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    """Account (12 digits, in quotes) that must own the bucket; every request says so."""

    requester_pays: bool = False
    """Whether we pay for requests to this bucket."""

    sse: Encryption = Encryption.NONE
    """Encryption at rest to ask for."""

    kms_key: Annotated[str, StringConstraints(pattern=_KEY_ARN)] | None = None
    """ARN of the KMS key, for `sse: aws:kms`. Its region must be the store's."""

    throttle: ThrottleModel = ThrottleModel()
    """Limits of requests and bytes per second."""

    patience: PatienceModel = PatienceModel()
    """How long the store may be silent."""

    etags: Etags = Etags.MD5
    """What an ETag of 32 hexadecimal digits is: `md5`, with which a body is compared when it comes
    without a checksum; or `opaque`, for a store whose ETags only look so."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.sse is Encryption.KMS) != (self.kms_key is not None):
            raise ValueError("expected kms_key with sse: aws:kms, and only with it")
        if self.kms_key is not None and self.kms_key.split(":")[3] != self.region:
            raise ValueError("expected a kms_key of the store's own region")
        if re.search(r"\.\.|^[0-9.]+$", self.bucket):
            raise ValueError("expected a bucket without '..' that is no address")
        if "." in self.bucket and not self.path_style:
            raise ValueError("expected path_style: true, since the bucket's name has a dot")
        return self

    def noun(self, place: Place) -> Store:
        """Return the noun of this model, its file where ``place`` puts it."""
        reference = self.credentials
        return Store(
            kind=self.kind,
            endpoint=self.endpoint,
            region=self.region,
            bucket=self.bucket,
            prefix=self.prefix,
            path_style=self.path_style,
            ca_bundle=place(self.ca_bundle) if self.ca_bundle else None,
            credentials=DefaultChain() if reference == "default" else reference.noun(),
            expected_owner=self.expected_owner,
            requester_pays=self.requester_pays,
            sse=self.sse,
            kms_key=self.kms_key,
            requests_per_s=self.throttle.requests_per_s,
            bytes_per_s=self.throttle.bytes_per_s,
            connect_s_max=self.patience.connect_s,
            read_s_max=self.patience.read_s,
            etags=self.etags,
        )
