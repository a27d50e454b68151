"""ComfyUI: whatever its workflows make, on the user's own machine (contract: its server's routes, v0.3.64)."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from anyio import to_thread
from pydantic import ValidationError, create_model

from darkroom.accounts import Account
from darkroom.declaration import Declaration, Traits
from darkroom.errors import DarkroomError, InvalidRequest, NotFound, OutcomeUnknown, ResultUnavailable
from darkroom.models import MAX_COUNT, MAX_MODEL, RANDOM_SEED, Charged, GenerationRequest, Receipt
from darkroom.providers.base import (
    AccountState,
    Connection,
    HttpProvider,
    Model,
    Reading,
    RemoteImage,
    Submission,
)
from darkroom.providers.checking import check_request, check_size_said_once
from darkroom.providers.comfyui import answers
from darkroom.providers.comfyui.jobs import SUBFOLDER, Jobs, named, seed_of
from darkroom.providers.comfyui.reports import Reports
from darkroom.providers.comfyui.uploads import uploaded
from darkroom.providers.comfyui.workflow import Workflow
from darkroom.providers.comfyui.workflows import MASKED_IMAGE, TEXT_TO_IMAGE, Folder, usual
from darkroom.providers.reporting import Heard
from darkroom.providers.stopping import Reply
from darkroom.providers.wire import JobId, Wire
from darkroom.redact.text import quote
from darkroom.transport import failures, sockets
from darkroom.transport.client import Call
from darkroom.transport.egress import MAX_PICTURE
from darkroom.transport.incoming import Incoming

_CHECKPOINTS = "/object_info/CheckpointLoaderSimple"

_BASE = Traits(
    title="ComfyUI",
    poll_interval_s=1.0,
    shortest_interval_s=0.5,
    # A large model on a small machine takes long, and its own queue may be longer.
    deadline_s=6 * 3600.0,
    default_model="default",
    free=True,
    finds=True,
    cancels=True,
)


def _usual_traits(workflow: Workflow) -> Traits:
    """The arguments that a workflow of ours takes."""
    return workflow.traits("ComfyUI", _BASE, hidden=frozenset({"checkpoint"}))


_TEXT, _MASKED = _usual_traits(TEXT_TO_IMAGE), _usual_traits(MASKED_IMAGE)
TRAITS = replace(
    _TEXT, images=_MASKED.images, options=create_model("Options", __base__=(_TEXT.options, _MASKED.options))
)
"""The arguments that one of them takes, with a picture to work from or without."""


class _Taken(Wire):
    prompt_id: JobId


class _Kept(Wire):
    """The contents of a job's receipt besides its id; `most`: how many pictures were asked for."""

    files: str = ""
    seed: int | None = None
    most: int = MAX_COUNT


class ComfyUI(HttpProvider):
    """The client. Jobs are named by us, so one whose response was lost can be looked for, by any process."""

    name: str = "comfyui"
    traits: Traits = TRAITS

    def __init__(self, connection: Connection) -> None:
        """Raises NotConfigured: the folder for workflows is none."""
        super().__init__(connection)
        self._folder = Folder(connection.account.further.get("WORKFLOWS", ""))
        self._jobs = Jobs(self._api)

    @staticmethod
    def signed(account: Account) -> Mapping[str, str]:
        """Nothing: ComfyUI knows no keys, though a server in front of it may."""
        return HttpProvider.signed(account) if account.key else {}

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`; a model is a workflow of the user's, or a checkpoint for the usual one."""
        workflow = self._folder.workflow(request.model)
        named = f"The workflow {request.model}"
        traits = _usual_traits(usual(request)) if workflow is None else workflow.traits(named, _BASE)
        check_size_said_once(request)
        return check_request(request, traits)

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """`POST /prompt`, under a name that follows from ours. Where its response is lost, the job is looked for."""
        job = named(reference)
        workflow = await to_thread.run_sync(self._folder.workflow, request.model)
        checkpoint = {} if workflow is not None else {"checkpoint": await self._checkpoint(request.model)}
        workflow = workflow or usual(request)
        pictures = await uploaded(self._api, await self.given(request, reference))
        values = {**workflow.values(request, _seed(request, job)), **checkpoint, **pictures}
        graph = workflow.filled(values, f"{SUBFOLDER}/{job}")
        body = json.dumps({"prompt": graph, "prompt_id": job, "client_id": job}).encode()
        try:
            taken = await self._post(Call("POST", "/prompt", body, {"Content-Type": "application/json"}))
        except OutcomeUnknown as lost:
            try:
                return Submission(receipt=await self.find(request, reference), queued=True)
            except DarkroomError as error:
                raise (error if isinstance(error, OutcomeUnknown) else lost) from error
        return Submission(receipt=_receipt(taken, job, request, workflow), queued=True)

    async def find(self, request: GenerationRequest, reference: str) -> Receipt:
        """See `Finder.find`: ComfyUI is given a few seconds to show a job that it has only just taken.

        Raises:
            OutcomeUnknown: it shows none, which proves nothing, since it may have forgotten it.
            DarkroomError: it could not be asked.
        """
        job = named(reference)
        if not await self._jobs.found(job):
            raise _nowhere()
        workflow = None
        with suppress(InvalidRequest):  # its file was changed meanwhile: how many pictures it makes is not known
            workflow = await to_thread.run_sync(self._folder.workflow, request.model) or usual(request)
        return _receipt(job, job, request, workflow)

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """`GET /history/{id}`, then `/queue`; after a restart of ComfyUI, which forgets both, its files."""
        kept = _Kept.model_validate(receipt.kept)
        known = await self._jobs.known(receipt.job_id)
        if known is None and (found := await self._jobs.saved(kept.files)):
            known = Reading(done=True, images=answers.images(found))
        if known is not None:
            return known.model_copy(update={"images": known.images[: kept.most], "seed": kept.seed})
        raise NotFound(
            "It has neither the job nor a picture of it: it was started anew, or somebody removed the job",
            next_step="Generate it again.",
        )

    async def cancel(self, receipt: Receipt, request: GenerationRequest) -> Reply:
        """See `Stopper.cancel`: what waits leaves the queue, what runs is interrupted."""
        return await self._jobs.cancel(receipt.job_id)

    async def listen(self, receipt: Receipt, request: GenerationRequest, heard: Heard) -> None:
        """See `Reporter.listen`: a WebSocket for each job, whose messages are sent to its own name."""
        job = receipt.job_id
        reports = Reports(job, answers.nodes(await self._api.read("/queue", waits=False), job))

        def take(message: Any) -> None:
            if (step := reports.step(message)) is not None:
                heard(step)

        named = _Kept.model_validate(receipt.kept).files
        await sockets.listen(self._api, f"/ws?{urlencode({'clientId': named})}", take)

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        """`GET /view`."""
        call = Call("GET", f"/view?{urlencode(image.source or {})}", most=MAX_PICTURE, into=into)
        answer = await self._api.look(call)
        if not answer.ok:
            raise ResultUnavailable(
                f"ComfyUI returned {answer.status} where the picture was.",
                next_step="Look in ComfyUI's folder of outputs.",
                passing=answer.status not in {404, 410},
            )

    async def models(self) -> list[Model]:
        """The user's workflows, each with its options, and the checkpoints that ComfyUI has."""
        files = await to_thread.run_sync(self._folder.files)
        workflows = [await to_thread.run_sync(self._described, name) for name in files]
        listed = answers.checkpoints(await self._api.read(_CHECKPOINTS, waits=False))
        return [*workflows, *(Model(id=name, name=name) for name in listed if len(name) <= MAX_MODEL)]

    async def account_state(self) -> AccountState | None:
        """None: there is no account."""
        return None

    def _described(self, name: str) -> Model:
        try:
            workflow = self._folder.workflow(name)
        except InvalidRequest as error:
            return Model(id=name, name=name, note=error.message)
        options = ", ".join(workflow.options) if workflow is not None else ""
        return Model(id=name, name=name, note=f"workflow; options: {options or 'none'}{_takes(workflow)}")

    async def _checkpoint(self, model: str) -> str:
        """The checkpoint that is meant: by default the first that ComfyUI has."""
        if model != TRAITS.default_model:
            return model
        listed = answers.checkpoints(await self._api.read(_CHECKPOINTS))
        if not listed:
            raise InvalidRequest(
                "ComfyUI has no checkpoint to make a picture with.",
                next_step="Put one into its models/checkpoints, or name a workflow as the model; nothing was sent.",
            )
        return listed[0]

    async def _post(self, call: Call) -> str:
        """The job's id. Raises as `Api.submit`."""
        answer = await self._api.send_once(call)
        api = self._api
        if not answer.ok:
            raise self._refusal(call, answer)
        try:
            taken = answer.json_object(api.title, api.redact)
        except DarkroomError as error:
            raise failures.unknown_outcome(api.title, error.message) from error
        try:
            return _Taken.model_validate(taken).prompt_id
        except ValidationError as error:
            raise api.nameless(taken) from error

    def _refusal(self, call: Call, answer: failures.Answer) -> DarkroomError:
        api = self._api
        error = failures.of_post(api.title, api.key_variable, call.url(api.base_url), answer, api.redact)
        with suppress(DarkroomError):
            if said := answers.problems(answer.json_object(api.title, api.redact)):
                error.message += f", namely {quote(said)}"
        return error


def _takes(workflow: Workflow | None) -> str:
    takes = workflow.images if workflow is not None else None
    return f"; images up to {takes.max}{', mask' if takes.mask else ''}" if takes else ""


def _seed(request: GenerationRequest, job: str) -> int | None:
    return seed_of(job) if request.seed in {None, RANDOM_SEED} else request.seed


def _receipt(job: str, files: str, request: GenerationRequest, workflow: Workflow | None) -> Receipt:
    """The receipt of a job whose files begin with `files`; `workflow`: the one that makes them, where it is known."""
    most = request.count if workflow is not None and "count" in workflow.inputs else MAX_COUNT
    return Receipt(job_id=job, kept={"files": files, "seed": _seed(request, files), "most": most})


def _nowhere() -> OutcomeUnknown:
    return OutcomeUnknown(
        "The response to the submission was lost, and ComfyUI shows neither the job nor a picture of it. Perhaps it "
        "never had it; perhaps it was started anew since, or its queue and history were emptied.",
        charged=Charged.NO,
        next_step="Look into ComfyUI's queue and its folder output/darkroom before generating it again; Darkroom will "
        "not send it a second time.",
    )


DECLARATION = Declaration(
    name="comfyui",
    prefix="DARKROOM_COMFYUI_",
    traits=TRAITS,
    client=ComfyUI,
    base_url="http://127.0.0.1:8188",
    # It has a queue of its own, but what waits in ours can still be taken back.
    limits="active=2",
    behind_gateways=True,
    needs_key=False,
    further=("WORKFLOWS",),
)
