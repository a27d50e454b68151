"""youtube_thumbnail: a brief for FatThumb."""

from typing import Annotated

from pydantic import Field

Topic = Annotated[str, Field(description="What the video is about", max_length=500)]
Mood = Annotated[str, Field(description="How it should feel, such as tense, cosy or triumphant", max_length=200)]
Text = Annotated[
    str, Field(description="Words to appear in the picture, a few at most; empty for none", max_length=100)
]


def youtube_thumbnail(topic: Topic, mood: Mood = "curious", text: Text = "") -> str:
    """Make thumbnails for a video with FatThumb, and choose one."""
    words = (
        f'Set exactly these words, spelled like this, large and in at most two lines: "{text}".'
        if text
        else "Put no words into the picture."
    )
    return f"""Make YouTube thumbnails about: {topic}
Mood: {mood}

1. Write one prompt for a 16:9 picture that is still clear when it is two centimetres wide:
   - one subject, large, off centre, with a readable expression or gesture; say what it does, not what it stands for;
   - one light and two or three colours that carry the mood, and a calm background with contrast to the subject;
   - keep the lower right corner free, where the video's length is shown.
   {words}
2. Call list_models once. If fatthumb has a key, call generate with provider "fatthumb" and count 2; for a person or a
   style that recurs, pass its id in options (person_ids, inspiration_ids). Without a key, use provider "sketch" and say
   that the result is a placeholder.
3. Call wait with the id until it is done. It costs nothing to wait again; it costs credits to generate again.
4. Show both pictures, say in a sentence which one reads better when small, and name its file. If one is watermarked or
   hidden, say so. Ask before you generate more."""
