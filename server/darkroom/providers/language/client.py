"""The client of a declared service: every request, response and place of a picture is as its file says."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import anyio
from anyio import to_thread
from pydantic import JsonValue

from darkroom.declaration import Traits
from darkroom.errors import (
    DarkroomError,
    InvalidRequest,
    NotAnImage,
    NotFound,
    OutcomeUnknown,
    ResultUnavailable,
    StorageError,
)
from darkroom.models import Charged, GenerationRequest, Receipt
from darkroom.providers.base import AccountState, Connection, Model, Reading, RemoteImage, Submission
from darkroom.providers.language import offers, spool
from darkroom.providers.language.answers import aside, delivered, looked, reading, resulting, stopped, taken
from darkroom.providers.language.checks import is_result
from darkroom.providers.language.files import Source, keep, recall
from darkroom.providers.language.filling import Unfillable
from darkroom.providers.language.finding import PAUSES_S, alike_in, job_in
from darkroom.providers.language.links import judged
from darkroom.providers.language.pointers import first
from darkroom.providers.language.requests import names_of, prepare, submission
from darkroom.providers.language.schema import Request, Service
from darkroom.providers.language.signing import call_of
from darkroom.providers.language.speech import Speech
from darkroom.providers.language.stock import account_in, models_in
from darkroom.providers.likeness import Alike
from darkroom.providers.stopping import Reply
from darkroom.redact.text import quote
from darkroom.transport import failures
from darkroom.transport.client import MAX_ANSWER, Api, Call
from darkroom.transport.egress import MAX_PICTURE, Pictures
from darkroom.transport.failures import Answer
from darkroom.transport.incoming import Incoming

MAX_RESULT = 96 * 2**20
"""The largest response that is the result itself."""
MAX_WITH_PICTURES = 4 * MAX_PICTURE // 3
"""The largest response that holds pictures themselves, in base64."""


class Declared:
    """The provider that a file declares. `kept`: the folder for the files that jobs were submitted with."""

    def __init__(self, connection: Connection, source: Source, traits: Traits, kept: Path) -> None:
        account, service = connection.account, source.service
        self.name, self.traits, self.access = service.name, traits, connection.access
        self._source, self._kept, self._account = source, kept, account
        self._spool, self._given = kept.with_name("answers"), connection.given
        self._redact = connection.redact
        self._pictures = Pictures(connection.http, account.own_origin, connection.redact)
        self._api = Api(
            service.title, account.declaration.key_variable or "", account.base_url, connection.http, {},
            connection.redact, connection.door, connection.access.key,
        )  # fmt: skip
        self._recalled = {source.digest: source}
        self.heard: Callable[[str, Answer], None] = _unheard
        """Is given each response to a submission, a look and a request for the result, by its table."""

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`."""
        checked = offers.check(self._source.service, self.traits, request)
        try:
            service = self._source.service
            prepare(service, submission(service, checked), names_of(service, checked))
        except Unfillable as error:
            raise InvalidRequest(f"{error}.", next_step="Correct it and call again; nothing was sent.") from error
        return checked

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """The one POST. The file is kept first: it alone will read what comes of it."""
        service = self._source.service
        await to_thread.run_sync(keep, self._kept, self._source)
        call = await self._call(service, request, reference)
        return await self._submitted(service, call, request, reference)

    async def _call(self, service: Service, request: GenerationRequest, reference: str) -> Call:
        """The POST with its pictures; on another thread where there are any, which may be large."""
        images = await self._given(request, reference)

        def prepared() -> Call:
            names = names_of(service, request, reference=reference, images=images)
            ready = prepare(service, submission(service, request), names)
            return call_of(ready, ready.at, service.auth, self._account.key)

        try:
            return await to_thread.run_sync(prepared) if request.images else prepared()
        except DarkroomError:
            raise
        except Exception as error:  # a text that no request can hold
            raise failures.of_submit(self.traits.title, error, sent=False) from error

    async def _submitted(self, service: Service, call: Call, request: GenerationRequest, reference: str) -> Submission:
        if is_result(service):
            return await self._result(service, call, request, reference)
        try:
            answer = await self._api.send_once(call)
            self.heard("submit", answer)
            submission = await aside(answer, taken, self._speech(service), answer, call.url(self._api.base_url))
        except OutcomeUnknown:
            found = None
            with suppress(DarkroomError):
                found = await self.find(request, reference)
            if found is None:
                raise
            return Submission(receipt=found)
        return submission.model_copy(update={"receipt": self._followed(service, submission.receipt)})

    async def find(self, request: GenerationRequest, reference: str) -> Receipt | None:
        """See `Finder.find`: the service is given a few seconds to show a job that it has only just taken."""
        service, lookup = self._source.service, self._source.service.lookup
        if lookup is None or lookup.proof != "reference":
            return None
        await to_thread.run_sync(keep, self._kept, self._source)
        names, failed = names_of(service, request, reference=reference), None
        for pause in PAUSES_S:
            await anyio.sleep(pause)
            try:
                answer = await self._look(service, lookup, names, waits=False)
                job, failed = job_in(lookup, resulting(self._speech(service), answer), names), None
            except DarkroomError as error:
                job, failed = None, error
            if job is not None:
                return self._followed(service, Receipt(job_id=job[:200], kept={"job": job}))
        if failed is not None:
            raise failed
        return None

    async def alike(self, request: GenerationRequest, since: float) -> list[Alike]:
        """See `Lister.alike`: nothing, where the service lists none."""
        service, lookup = self._source.service, self._source.service.lookup
        if lookup is None or lookup.proof != "likeness":
            return []
        names = names_of(service, request)
        answer = await self._look(service, lookup, names, waits=False)
        return alike_in(lookup, resulting(self._speech(service), answer), names, since)

    def _followed(self, service: Service, receipt: Receipt) -> Receipt:
        """The receipt with the file that reads the job. Raises OutcomeUnknown: the job is where no key is sent."""
        if (service.read.url or "").startswith("{job"):
            self._judge_job(service, receipt)
        return receipt.model_copy(update={"kept": {**receipt.kept, "declaration": self._source.digest}})

    async def _result(self, service: Service, call: Call, request: GenerationRequest, reference: str) -> Submission:
        """The POST whose response is the result, kept before its result is reported."""
        into = await to_thread.run_sync(spool.Response, self._spool, reference, MAX_RESULT)
        try:
            to_file = replace(call, most=MAX_RESULT, into=into)
            answer = await self._api.send_once(to_file, within_s=service.submit.answer_within_s)
            if answer.ok:  # places in its file stand for long texts
                answer = replace(answer, body=await to_thread.run_sync(into.abridged))
            await aside(answer, delivered, self._speech(service), answer, request, call.url(self._api.base_url))
            await to_thread.run_sync(into.keep)
        finally:
            into.drop()
        kept: dict[str, JsonValue] = {"answer": into.name, "declaration": self._source.digest}
        return Submission(receipt=Receipt(job_id=reference, kept=kept))

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """A look at the job, and one at its result where that is elsewhere; or at the response that is the result."""
        service = (await self._source_of(receipt)).service
        if is_result(service):
            name = str(receipt.kept.get("answer"))
            answer = Answer(200, {}, await to_thread.run_sync(spool.recall, self._spool, name, self.traits.title))
            self.heard("submit", answer)
            return await aside(answer, delivered, self._speech(service), answer, request, self._api.base_url)
        speech, names = self._speech(service), self._names(service, receipt, request)
        answer = await self._look(service, service.read, names)
        look = await aside(answer, looked, speech, answer)
        result = look.value
        if service.result is not None:
            found = await self._look(service, service.result, names) if look.means == "done" else None
            result = await aside(found, resulting, speech, found) if found is not None else None
        return reading(speech, look, result, request)

    async def cancel(self, receipt: Receipt, request: GenerationRequest) -> Reply | None:
        """See `Stopper.cancel`."""
        service = (await self._source_of(receipt)).service
        if service.cancel is None:
            return None
        call = self._prepared(service, service.cancel, self._names(service, receipt, request))
        answer = await self._api.ask_once(call)
        return await aside(answer, stopped, self._speech(service), answer)

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        """The picture: from its link without the key, out of the response, or behind a request with the key."""
        service = (await self._source_of(receipt)).service
        if service.pictures.url is not None and (image.url or service.pictures.base64 is None):
            return await self._pictures.fetch(image.url or "", into)
        if service.pictures.request is None:
            name, source = str(receipt.kept.get("answer")), str(image.source or "")
            return await to_thread.run_sync(spool.picture, self._spool, name, source, self.traits.title, into)
        try:
            await self._behind(service, {**self._names(service, receipt, request), **(image.source or {})}, into)
        except (ResultUnavailable, NotAnImage, NotFound, StorageError):
            raise
        except DarkroomError as error:  # the picture is there, and another try costs nothing
            raise ResultUnavailable(
                f"{error.message}.", next_step=error.next_step, charged=Charged.YES, passing=True
            ) from error

    async def over(self, receipt: Receipt) -> None:
        """See `Provider.over`."""
        if "answer" in receipt.kept:
            await to_thread.run_sync(spool.forget, self._spool, str(receipt.kept["answer"]))

    async def models(self) -> list[Model]:
        """Those that the file names, or that the service lists."""
        service = self._source.service
        listed = None
        if service.models is not None:
            answer = await self._look(service, service.models, {}, waits=False)
            listed = await aside(answer, resulting, self._speech(service), answer)
        return models_in(self._speech(service), listed)

    async def account_state(self) -> AccountState | None:
        """The amount that is left by the service's own report, where its file says how to ask."""
        service = self._source.service
        if service.account is None:
            return None
        answer = await self._look(service, service.account, {}, waits=False)
        return account_in(self._speech(service), resulting(self._speech(service), answer))

    async def _behind(self, service: Service, names: Mapping[str, Any], into: Incoming) -> None:
        """The bytes behind one more request, which may lead on to a link for everybody."""
        request, pointer = service.pictures.request or service.read, service.pictures.answer
        answer = await self._look(service, request, names, into=into if pointer is None else None)
        if pointer is not None:
            link = first(resulting(self._speech(service), answer), pointer)
            return await self._pictures.fetch(link if isinstance(link, str) else "", into)
        onward = answer.headers.get("location")
        if 300 <= answer.status < 400 and onward:
            return await self._pictures.fetch(urljoin(self._api.base_url, onward), into)
        if not answer.ok:
            resulting(self._speech(service), answer)

    async def _look(
        self,
        service: Service,
        request: Request,
        names: Mapping[str, Any],
        *,
        waits: bool = True,
        into: Incoming | None = None,
    ) -> Answer:
        most = MAX_ANSWER if into is None else MAX_PICTURE
        if service.pictures.base64 is not None and (request is service.read or request is service.result):
            most = MAX_WITH_PICTURES
        call = replace(self._prepared(service, request, names), most=most, into=into)
        answer = await self._api.look(call, waits=waits)
        if request is service.read or request is service.result:
            self.heard("read" if request is service.read else "result", answer)
        return answer

    def _prepared(self, service: Service, request: Request, names: Mapping[str, Any]) -> Call:
        prepared = prepare(service, request, names)
        at = prepared.at if request.url is None else judged(service, self._account.base_url, prepared.at)
        return call_of(prepared, at, service.auth, self._account.key)

    async def _source_of(self, receipt: Receipt) -> Source:
        """The very file that the job was submitted with."""
        digest = str(receipt.kept.get("declaration") or self._source.digest)
        if digest not in self._recalled:
            self._recalled[digest] = await to_thread.run_sync(recall, self._kept, digest, self.traits.title)
        return self._recalled[digest]

    def _judge_job(self, service: Service, receipt: Receipt) -> None:
        """Raises OutcomeUnknown: the job is there, but where the key is never sent."""
        job = str(receipt.kept["job"])
        try:
            judged(service, self._account.base_url, job)
        except DarkroomError as error:
            place = quote(self._redact(job), 200)
            raise self._speech(service).unknown(f"its job {place} cannot be followed: {error.message}") from error

    def _names(self, service: Service, receipt: Receipt, request: GenerationRequest) -> dict[str, Any]:
        return names_of(service, request, job=str(receipt.kept.get("job") or receipt.job_id))

    def _speech(self, service: Service) -> Speech:
        return Speech(service, self._account.declaration.key_variable or "", self._redact)


def _unheard(table: str, answer: Answer) -> None:
    """Most responses interest nobody but their reader."""
