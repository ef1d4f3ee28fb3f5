"""Why a model can't be used, each in one sentence."""

from c2m.errors import N_, Conflict, Invalid, NotFound


class MissingModel(NotFound):
    """The directory holds no pipeline."""

    sentence = N_("There is no image model at %(model)s: %(file)s is missing.")

    def __init__(self, *, model: str, file: str = "model_index.json") -> None:
        super().__init__(model=model, file=file)


class UnknownModel(NotFound):
    """The hub has no such repository, or not for us."""

    sentence = N_("The hub knows no image model %(model)s, or doesn't show it to everybody.")


class HubAway(Conflict):
    """The hub gave no answer, and the model isn't here."""

    sentence = N_("The image model %(model)s isn't here, and the hub can't be reached to fetch it.")


class BrokenModel(Conflict):
    """The files are there and make no pipeline."""

    sentence = N_("The image model at %(model)s can't be loaded: %(reason)s")


class NotFromWords(Conflict):
    """A pipeline of another kind."""

    sentence = N_("%(model)s is a %(kind)s, which doesn't make pictures from words.")


class NotFromPictures(Conflict):
    """The pipeline's family has no way from a picture to another."""

    sentence = N_("%(model)s can't start from a picture.")


class UnfitScheduler(Invalid):
    """A scheduler that the pipeline can't use."""

    sentence = N_("%(model)s can't use the scheduler %(asked)s; one of these will do: %(known)s.")


class UnfitLora(Invalid):
    """Adapted weights of another model."""

    sentence = N_("The LoRA weights %(lora)s don't fit %(model)s.")


class NoSuchDevice(Conflict):
    """A device that torch doesn't have here."""

    sentence = N_("There is no device %(device)s on this machine.")


class AboveMemoryLimit(Conflict):
    """The weights alone are larger than what is allowed."""

    sentence = N_("%(model)s needs %(needed)s GiB for its weights, above the limit of %(limit)s GiB.")


class OutOfMemory(Conflict):
    """The device has no memory left for a picture."""

    sentence = N_("%(device)s ran out of memory; make smaller pictures, or fewer at once.")


class PictureWithheld(Conflict):
    """The model's own safety checker blacked a picture out."""

    sentence = N_("The image model withheld a picture as unfit to be shown; please describe it differently.")


class MissingLibraries(Conflict):
    """The `design` extra is not installed."""

    sentence = N_("Making pictures needs %(missing)s: install c2m[design].")


class NotTrained(Conflict):
    """Codec and denoiser both need a checkpoint before a model can be put together."""

    sentence = N_("There is nothing to put together in %(folder)s yet: train the codec and the denoiser first.")


class OtherRecipe(Conflict):
    """A folder holds the training of another recipe, which going on would overwrite."""

    sentence = N_("%(path)s was made by recipe %(found)s, not by %(asked)s: use another folder.")
