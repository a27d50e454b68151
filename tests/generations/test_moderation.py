"""A safety review is known by the same words, whether it refuses a submission or ends a job."""

import json

import pytest

from darkroom.generations.outcome import job_error
from darkroom.redact.secrets import Redactor
from darkroom.transport.failures import Answer, of_post

REVIEWED = (
    "Your prompt was moderated",
    "Flagged by our safety review",
    "NSFW content detected",
    "inappropriate picture",
    "This violates our content guidelines",
    "blocked: content_policy_violation",
    "Your prompt is against our usage policy",
    "prohibited by our terms",
)
NOT_REVIEWED = (
    "The model is overloaded",
    "steps must be at most 50",
    "See our privacy policy",
    "No retry policy is set for this model",
)


@pytest.mark.parametrize("words", REVIEWED + NOT_REVIEWED)
def test_the_same_words_mean_a_review_wherever_a_provider_says_them(words: str) -> None:
    answer = Answer(400, {}, json.dumps({"error": words}).encode())
    refused = of_post("FatThumb", "FATTHUMB_API_KEY", "https://provider.example/v1/generate", answer, Redactor(()))
    codes = (refused.code, job_error(words).code)
    assert codes == (("moderated", "moderated") if words in REVIEWED else ("invalid_request", "provider_error"))
