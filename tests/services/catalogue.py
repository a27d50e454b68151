"""The models that BetterWaifu lists, sorted by model name, then version name."""

from collections.abc import Mapping

_ROWS: tuple[tuple[int, str, str, str, bool, bool], ...] = (
    (691639, "AnimagineXL", "v3.1", "SDXL 1.0", False, True),
    (1408658, "AnimagineXL", "v4.0 Opt", "SDXL 1.0", False, True),
    (290640, "AutismMix", "Confetti", "Pony", True, True),
    (324524, "AutismMix", "Pony", "Pony", True, False),
    (128713, "DreamShaper", "8", "SD 1.5", False, True),
    (1190596, "Illustrious XL", "v1.0", "Illustrious", False, True),
    (889818, "Illustrious XL", "v0.1", "Illustrious", False, True),
    (1116447, "NoobAI-XL", "Epsilon 1.1", "NoobAI", True, True),
    (1190700, "NoobAI-XL", "V-Pred 1.0", "NoobAI", True, True),
    (290641, "Pony Diffusion", "V6 XL", "Pony", True, True),
    (814910, "WAI-ANI", "v9", "Illustrious", True, True),
    (1183765, "WAI-ANI", "v10", "Illustrious", True, True),
    (128078, "XL Base", "1.0", "SDXL 1.0", False, True),
)


def _model(row: tuple[int, str, str, str, bool, bool]) -> Mapping[str, object]:
    version_id, model_name, name, base_model, nsfw, has_cover = row
    slug = f"{model_name}-{name}".replace(" ", "_").lower()
    return {
        "id": version_id,
        "name": name,
        "model_name": model_name,
        "base_model": base_model,
        "type": "Checkpoint",
        "filename": f"{slug}.safetensors",
        "cover_image": f"https://images.example.com/{slug}.webp" if has_cover else None,
        "nsfw": nsfw,
    }


MODELS = tuple(_model(row) for row in sorted(_ROWS, key=lambda row: row[1:3]))
