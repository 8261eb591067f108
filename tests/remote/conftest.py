"""A bucket on this machine, which boto3 looks into, and a store that goes wrong when a test says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import fsspec
import pytest
import s3fs
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer

for _name in ("aiobotocore", "asyncio", "boto3", "botocore", "fsspec", "s3fs", "urllib3", "werkzeug"):
    logging.getLogger(_name).setLevel(
        logging.WARNING
    )  # they log every byte of what is sent, for those who want it


class Bucket:
    """What is in a bucket, as boto3 sees it; fsspec has no part in it."""

    name = "study"

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        self._client.create_bucket(Bucket=self.name)

    def url(self, key: str) -> str:
        """Name an object as fastanon is told of it."""
        return f"s3://{self.name}/{key}"

    def put(self, key: str, data: bytes) -> None:
        """Put an object there."""
        self._client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Read an object."""
        body: bytes = self._client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def keys(self) -> list[str]:
        """Name all objects."""
        return [one["Key"] for one in self._client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def unfinished(self) -> list[str]:
        """Name the objects of uploads that are not complete."""
        found = self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())
        return [one["Key"] for one in found]

    def clear(self) -> None:
        """Remove the bucket."""
        for key in self.keys():
            self._client.delete_object(Bucket=self.name, Key=key)
        self._client.delete_bucket(Bucket=self.name)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of a server that has buckets."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Give an empty bucket; credentials and address stand where programs look for them."""
    environment = {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret", "AWS_ENDPOINT_URL": server,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    found = Bucket(server)
    yield found
    found.clear()
    s3fs.S3FileSystem.clear_instance_cache()


class Moody(MemoryFileSystem):
    """A store in memory that calls a test before each read, with how many there were."""

    protocol = "moody"
    store: dict[str, Any] = {}  # noqa: RUF012  # as that of its base: one for all instances
    pseudo_dirs = [""]  # noqa: RUF012
    before: Callable[[int], object] = staticmethod(lambda _: None)
    reads = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path.removeprefix("moody://"))
        return stripped

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """Read, after the test was told."""
        type(self).reads += 1
        type(self).before(self.reads)
        data: bytes = super().cat_file(path, start, end, **kwargs)
        return data


@pytest.fixture
def moody() -> Iterator[type[Moody]]:
    """Give the store; what a test has put there is gone afterwards."""
    fsspec.register_implementation("moody", Moody, clobber=True)
    Moody.store.clear()
    Moody.before, Moody.reads = staticmethod(lambda _: None), 0
    yield Moody
    Moody.store.clear()


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """Give fsspec's own store in memory."""
    found = fsspec.filesystem("memory")
    found.store.clear()
    yield found
    found.store.clear()
