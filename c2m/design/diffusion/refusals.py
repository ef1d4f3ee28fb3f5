"""Why a model can't be used, each in one sentence."""

from c2m.errors import N_, Conflict, NotFound


class MissingModel(NotFound):
    """The directory holds no pipeline."""

    sentence = N_("There is no image model at %(model)s: model_index.json is missing.")


class MissingLibraries(Conflict):
    """The `design` extra is not installed."""

    sentence = N_("Making pictures needs %(missing)s: install c2m[design].")


class NotTrained(Conflict):
    """Codec and denoiser both need a checkpoint before a model can be put together."""

    sentence = N_("There is nothing to put together in %(folder)s yet: train the codec and the denoiser first.")


class OtherRecipe(Conflict):
    """A folder holds the training of another recipe, which going on would overwrite."""

    sentence = N_("%(path)s was made by recipe %(found)s, not by %(asked)s: use another folder.")
