"""Tenants of one process: each has its own keys and limits, and none has anything of another's."""

import json
import logging
from pathlib import Path

import anyio
import pytest

from darkroom.errors import NotConfigured
from darkroom.redact.log import DiscreetRecord
from tests.hosts import Home, call, over, refused
from tests.services.fatthumb import FatThumb
from tests.services.priced import PricedService
from tests.tenancy import clients_of, house_of, keys_for, rewrite_tenants, write_tenants


@pytest.fixture
def file(home: Home) -> Path:
    return home.path / "tenants.toml"


async def test_each_tenant_s_pictures_are_paid_for_with_its_own_key(home: Home, file: Path, fatthumb: FatThumb) -> None:
    other = fatthumb.add_key()
    write_tenants(file, {"acme": keys_for(fatthumb), "beta": keys_for(fatthumb, FATTHUMB_API_KEY=other)})
    async with house_of(home, file) as app, clients_of(app, "acme", "beta") as clients:
        for client in clients:
            (generation,) = await over(client, (await call(client, "generate", prompt="a fox"))["id"])
            assert generation["status"] == "succeeded"
    assert [post.key for post in fatthumb.posts] == [fatthumb.key, other]


async def test_no_key_of_the_server_s_environment_is_a_tenant_s(home: Home, file: Path, fatthumb: FatThumb) -> None:
    write_tenants(file, {"acme": {}})
    async with house_of(home.with_(fatthumb), file) as app, clients_of(app, "acme") as (acme,):
        text = await refused(acme, "generate", prompt="a fox", provider="fatthumb")
        assert "FATTHUMB_API_KEY is not set" in text
        (drawn,) = await over(acme, (await call(acme, "generate", prompt="a fox"))["id"])
        assert drawn["provider"] == "sketch"
        states = {each["name"]: each["status"] for each in (await call(acme, "list_models"))["providers"]}
        assert states["fatthumb"] == "no key"
    assert fatthumb.log == []


async def test_a_tenant_has_as_many_under_way_as_it_may_and_the_others_wait(
    home: Home, file: Path, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    other = fatthumb.add_key()
    keys = {"acme": keys_for(fatthumb), "beta": keys_for(fatthumb, FATTHUMB_API_KEY=other)}
    write_tenants(file, keys, acme="active = 1")
    async with house_of(home, file) as app, clients_of(app, "acme", "beta") as (acme, beta):
        ids = [(await call(acme, "generate", prompt=f"fox {n}"))["id"] for n in range(2)]
        for n in range(2):
            await call(beta, "generate", prompt=f"hen {n}")
        await call(beta, "generate", prompt="a cow")
        while [post.key for post in fatthumb.posts].count(other) < 3:  # noqa: ASYNC110 - the service has no event
            await anyio.sleep(0.02)
        assert [post.key for post in fatthumb.posts].count(fatthumb.key) == 1
        waiting = await call(acme, "get_status", generation_id=ids[1])
        assert waiting["status"] == "queued"
        fatthumb.later_jobs(duration=0.0)
        fatthumb.advance(2000)
        await over(acme, *ids)
    assert [post.key for post in fatthumb.posts].count(fatthumb.key) == 2


async def test_a_tenant_s_key_that_its_service_repeats_is_neither_logged_nor_returned(
    home: Home, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = "as-plain-as-a-word-of-acme"  # nothing tells by its looks that it is one
    records = logging.getLogRecordFactory()
    logging.setLogRecordFactory(DiscreetRecord)
    try:
        with PricedService() as service, caplog.at_level(logging.DEBUG):
            service.says["submit"] = [(422, {"error": f"The key {key} may not do this"})]
            write_tenants(file, {"acme": {**service.environ, "DARKROOM_PRICED_KEY": key}})
            async with house_of(service.home(home), file) as app, clients_of(app, "acme") as (acme,):
                started = await call(acme, "generate", prompt="a fox", provider="priced")
                (generation,) = await over(acme, started["id"])
                logging.getLogger("some.library").warning("a line with %s in it", key)
    finally:
        logging.setLogRecordFactory(records)
        DiscreetRecord.further = ()
    assert generation["error"]["code"] == "moderated"
    assert key not in json.dumps(generation)
    assert "a line with" in caplog.text
    assert key not in caplog.text


async def test_what_is_under_way_of_a_tenant_who_is_taken_out_of_the_file_is_left_alone_until_it_is_back(
    home: Home, file: Path, fatthumb: FatThumb
) -> None:
    fatthumb.next_job(duration=1000.0)
    write_tenants(file, {"acme": keys_for(fatthumb)})
    async with house_of(home, file) as app, clients_of(app, "acme") as (acme,):
        generation_id = (await call(acme, "generate", prompt="a fox"))["id"]
        while (await call(acme, "get_status", generation_id=generation_id))["status"] == "queued":
            pass
        rewrite_tenants(app, file, {})
        assert app.service.owners.found("acme") is None
        text = await refused(acme, "generate", prompt="a hen")
        assert "The tenant acme is not in the tenants file" in text
        said = (await app.desk_of("acme").kept(generation_id)).progress.message
        assert "nothing here goes on with it" in said
        with pytest.raises(NotConfigured):
            app.service.owners.of("acme")
        rewrite_tenants(app, file, {"acme": keys_for(fatthumb)})
        fatthumb.advance(2000)
        (generation,) = await over(acme, generation_id)
        assert generation["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


async def test_a_waiting_row_is_sent_with_the_key_that_its_tenant_has_by_then(
    home: Home, file: Path, fatthumb: FatThumb
) -> None:
    other = fatthumb.add_key()
    slow = {"FATTHUMB_LIMITS": "submit=1/3600"}
    write_tenants(file, {"acme": keys_for(fatthumb, **slow)})
    async with house_of(home, file) as app, clients_of(app, "acme") as (acme,):
        await over(acme, (await call(acme, "generate", prompt="a fox"))["id"])
        waiting = (await call(acme, "generate", prompt="a hen"))["id"]
        rewrite_tenants(app, file, {"acme": keys_for(fatthumb, FATTHUMB_API_KEY=other, **slow)})
        await over(acme, waiting)
    assert [post.key for post in fatthumb.posts] == [fatthumb.key, other]
