"""The flags of all settings."""

from runtime.settings.model_options import MODEL_OPTIONS
from runtime.settings.sampling_options import SAMPLING_OPTIONS
from runtime.settings.server_options import SERVER_OPTIONS

OPTIONS = (*MODEL_OPTIONS, *SERVER_OPTIONS, *SAMPLING_OPTIONS)
