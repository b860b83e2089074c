"""The licences that models carry: what each asks of those who pass a model on, in its own words.

A short summary and no advice: the text decides. The names are SPDX's, the hub's and those that
cards use where the hub knows none.
"""

import re
from dataclasses import dataclass

ALLOWED, CONDITIONS = "allowed", "conditions"
NONCOMMERCIAL, FORBIDDEN, UNKNOWN = "noncommercial", "forbidden", "unknown"


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence.

    Args:
        name: Its full name.
        passing_on: `allowed`, `conditions`, `noncommercial`, `forbidden` or `unknown`.
        asks: What it says of passing the model on; goes on after its name.
    """

    name: str
    passing_on: str
    asks: str


_PERMISSIVE = "lets you pass the model on with its text and its notices"
_FREE = "lets you pass the model on without conditions"
_SAME = "lets you pass the model on under the same licence only"
_RAIL = (
    "lets you pass the model on with its text, if you bind others to its restrictions of use and "
    "mark what you changed"
)


def _llama(version: str, shown: str, extra: str = "") -> Licence:
    asks = (
        "lets you pass the model on with its text and its notice, within its acceptable use "
        f"policy{shown}; above 700 million monthly users a licence of Meta's is needed{extra}"
    )
    return Licence(f"{version} Community License", CONDITIONS, asks)


def _built(text: str) -> str:
    return f", if you show “{text}” and let derived models' names begin with Llama"


_EUROPE = ", and nobody in the European Union has rights to its multimodal models"
_GEMMA = Licence(
    "Gemma Terms of Use", CONDITIONS,
    "lets you pass the model on with its text and a notice, if you bind others to its "
    "restrictions of use and mark what you changed",
)  # fmt: skip
_QWEN = Licence(
    "Qwen (Tongyi Qianwen) License Agreement", CONDITIONS,
    "lets you pass the model on with its text and a notice, if you mark what you changed; above "
    "100 million monthly users a licence of Alibaba Cloud's is needed",
)  # fmt: skip
_QWEN_RESEARCH = Licence(
    "Qwen Research License Agreement", NONCOMMERCIAL,
    "lets you pass the model on with its text and a notice, for research and evaluation only",
)  # fmt: skip
_DEEPSEEK = Licence("DeepSeek License Agreement", CONDITIONS, _RAIL)
_FALCON = Licence(
    "Falcon LLM License", CONDITIONS,
    "lets you pass the model on with its text and its acceptable use policy, if you say that it is "
    "built using Falcon LLM technology from the Technology Innovation Institute",
)  # fmt: skip
_MISTRAL = "lets you pass the model on with its text, for research and other unpaid use only"
_NVIDIA_INTERNAL = Licence(
    "NVIDIA Internal Scientific Research and Development Model License", FORBIDDEN,
    "does not allow to distribute the model or one derived from it, or to use it in production",
)  # fmt: skip
_APPLE = Licence(
    "Apple Machine Learning Research Model License", NONCOMMERCIAL,
    "lets you pass the model on with its text, for non-commercial research only",
)  # fmt: skip
_EXAONE = Licence(
    "EXAONE AI Model License Agreement (NC)", NONCOMMERCIAL,
    "does not allow commercial use of the model or of one derived from it",
)  # fmt: skip
_FAIR = Licence(
    "FAIR Noncommercial Research License", NONCOMMERCIAL,
    "lets you pass the model on under the same licence, for non-commercial research only",
)  # fmt: skip

LICENCES = {
    **{
        key: Licence(name, ALLOWED, _PERMISSIVE)
        for key, name in (
            ("apache-2.0", "Apache License 2.0"), ("mit", "MIT License"),
            ("bsd", "BSD License"), ("bsd-2-clause", "BSD 2-Clause License"),
            ("bsd-3-clause", "BSD 3-Clause License"),
            ("bsd-3-clause-clear", "BSD 3-Clause Clear License"), ("isc", "ISC License"),
            ("bsl-1.0", "Boost Software License 1.0"), ("zlib", "zlib License"),
            ("ncsa", "NCSA License"), ("postgresql", "PostgreSQL License"),
            ("afl-3.0", "Academic Free License 3.0"), ("ms-pl", "Microsoft Public License"),
            ("ecl-2.0", "Educational Community License 2.0"),
            ("cdla-permissive-1.0", "Community Data License Agreement Permissive 1.0"),
            ("cdla-permissive-2.0", "Community Data License Agreement Permissive 2.0"),
        )
    },
    **{
        key: Licence(name, ALLOWED, _FREE)
        for key, name in (
            ("cc0-1.0", "CC0 1.0"), ("unlicense", "Unlicense"), ("wtfpl", "WTFPL"),
            ("pddl", "Public Domain Dedication and License"), ("mit-0", "MIT No Attribution"),
        )
    },
    **{
        key: Licence(name, CONDITIONS, _SAME)
        for key, name in (
            ("gpl", "GNU General Public License"), ("gpl-2.0", "GNU GPL 2.0"),
            ("gpl-3.0", "GNU GPL 3.0"), ("agpl-3.0", "GNU AGPL 3.0"), ("lgpl", "GNU LGPL"),
            ("lgpl-2.1", "GNU LGPL 2.1"), ("lgpl-3.0", "GNU LGPL 3.0"),
            ("mpl-2.0", "Mozilla Public License 2.0"), ("osl-3.0", "Open Software License 3.0"),
            ("epl-1.0", "Eclipse Public License 1.0"), ("epl-2.0", "Eclipse Public License 2.0"),
            ("eupl-1.1", "EUPL 1.1"), ("eupl-1.2", "EUPL 1.2"),
            ("odbl", "Open Database License"),
            ("cdla-sharing-1.0", "Community Data License Agreement Sharing 1.0"),
        )
    },
    **{
        key: Licence(name, CONDITIONS, _RAIL)
        for key, name in (
            ("openrail", "OpenRAIL license"), ("openrail++", "CreativeML Open RAIL++-M License"),
            ("bigscience-openrail-m", "BigScience OpenRAIL-M License"),
            ("bigscience-bloom-rail-1.0", "BigScience RAIL License 1.0"),
            ("creativeml-openrail-m", "CreativeML OpenRAIL-M License"),
            ("bigcode-openrail-m", "BigCode OpenRAIL-M License"),
        )
    },
    "llama2": _llama("Llama 2", ""),
    "llama3": _llama("Meta Llama 3", _built("Built with Meta Llama 3")),
    "llama3.1": _llama("Llama 3.1", _built("Built with Llama")),
    "llama3.2": _llama("Llama 3.2", _built("Built with Llama"), _EUROPE),
    "llama3.3": _llama("Llama 3.3", _built("Built with Llama")),
    "llama4": _llama("Llama 4", _built("Built with Llama"), _EUROPE),
    "gemma": _GEMMA,
    "qwen": _QWEN,
    "tongyi-qianwen": _QWEN,
    "qwen-research": _QWEN_RESEARCH,
    "tongyi-qianwen-research": _QWEN_RESEARCH,
    "deepseek": _DEEPSEEK,
    "deepseek-license": _DEEPSEEK,
    "falcon-llm-license": _FALCON,
    "mrl": Licence("Mistral AI Research License", NONCOMMERCIAL, _MISTRAL),
    "mnpl": Licence("Mistral AI Non-Production License", NONCOMMERCIAL, _MISTRAL),
    "apple-amlr": _APPLE,
    "exaone": _EXAONE,
    "fair-noncommercial-research-license": _FAIR,
    "fair-noncommercial-research": _FAIR,
    "nvidia-internal-scientific-research-and-development-model-license": _NVIDIA_INTERNAL,
}  # fmt: skip

_CREATIVE_COMMONS = re.compile(r"cc-by(-nc)?(-sa|-nd)?-(\d\.\d)")
# What GPL's names on SPDX's list end in.
_VERSIONS = re.compile(r"(-only|-or-later|(?<=\d)\+)$")
# By what the texts of licences begin with, where nothing names one.
_TITLES = {
    "llama2": r"llama 2 community license",
    "llama3": r"meta llama 3 community license",
    "llama3.1": r"llama 3\.1 community license",
    "llama3.2": r"llama 3\.2 community license",
    "llama3.3": r"llama 3\.3 community license",
    "llama4": r"llama 4 community license",
    "gemma": r"gemma terms of use",
    "qwen-research": r"qwen research license|tongyi qianwen research license",
    "qwen": r"qwen license agreement|tongyi qianwen license",
    "deepseek": r"deepseek license agreement",
    "falcon-llm-license": r"falcon llm license",
    "mrl": r"mistral ai research license",
    "mnpl": r"mistral ai non-production license",
    "exaone": r"exaone ai model license agreement [\d.]+ - nc",
    "apple-amlr": r"apple machine learning research model",
    "apache-2.0": r"apache license\s+version 2\.0",
    "mit": r"mit license|permission is hereby granted, free of charge",
}
_TITLE_BYTES = 2000


def find_licence(name: str) -> Licence | None:
    """Return a licence by a short name of it, in any case; None for one that is not known."""
    key = _VERSIONS.sub("", name.strip().lower().replace(" ", "-"))
    match = _CREATIVE_COMMONS.fullmatch(key)
    return _creative_commons(key, match) if match else LICENCES.get(key)


def identify(text: bytes) -> str:
    """Return the short name of the licence that a text is; empty for one that is not known."""
    start = text[:_TITLE_BYTES].decode("utf-8", errors="replace").lower()
    found = {
        match.start(): key for key, title in _TITLES.items() if (match := re.search(title, start))
    }
    return found[min(found)] if found else ""


def _creative_commons(key: str, match: re.Match[str]) -> Licence:
    is_noncommercial = bool(match[1])
    limits = ["if you name its authors and mark what you changed"]
    limits += ["for non-commercial purposes only"] if is_noncommercial else []
    limits += {"-sa": ["under the same licence only"], "-nd": ["unchanged only"]}.get(match[2], [])
    return Licence(
        name=f"CC {key.removeprefix('cc-').removesuffix('-' + match[3]).upper()} {match[3]}",
        passing_on=NONCOMMERCIAL if is_noncommercial else CONDITIONS,
        asks=f"lets you pass the model on {', '.join(limits)}",
    )
