"""The environment variables of the suite, as its settings models declare them."""

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Final

from perfsuite.settings import EnvSettings
from suite.repository import server_folders

_WHOLE: Final = re.compile(r"\.0\b")
"""What a float has behind it that people do not write."""


class Variable:
    """An environment variable, as a settings model declares it."""

    def __init__(self, model: type[EnvSettings], field: str) -> None:
        info = model.model_fields[field]
        extra = info.json_schema_extra
        assert isinstance(extra, dict)
        self.name = str(extra["env"])
        self.purpose = str(info.description)
        self.obtain = str(extra["obtain"])
        self.is_secret = "SecretStr" in str(info.annotation)
        self.is_required = info.is_required()
        self.default = None if info.is_required() else info.default
        self._annotation = info.annotation

    @property
    def sentence(self) -> str:
        """What it is, and where to get it."""
        return f"{self.purpose[:1].upper()}{self.purpose[1:]}. {self.obtain}"

    @property
    def shown_default(self) -> str:
        """The default as one writes it into the environment; nothing where there is none."""
        if isinstance(self.default, bool):
            return str(int(self.default))
        if isinstance(self.default, tuple):
            return ",".join(self.default)
        return "" if self.default is None else whole(str(self.default))

    @property
    def format(self) -> str:
        """What the registry calls its kind of value."""
        if self._annotation in (int, float):
            return "number"
        return "filepath" if self._annotation in (Path, Path | None) else "string"


def variables() -> list[Variable]:
    """Every variable that any settings model of the suite reads."""
    for package in ("perfsuite", *(f"perfsuite_{name}" for name in server_folders())):
        _import_all(package)
    models = sorted(EnvSettings.__subclasses__(), key=lambda model: (model.__module__.count("."), model.__module__))
    ours = [model for model in models if model.__module__.startswith("perfsuite")]
    return [Variable(model, field) for model in ours for field in model.model_fields]


def variables_of(package: str) -> list[Variable]:
    """Those that the models of one package or module read."""
    importlib.import_module(package)
    _import_all(package)
    models = [model for model in EnvSettings.__subclasses__() if f"{model.__module__}.".startswith(f"{package}.")]
    ordered = sorted(models, key=lambda model: model.__module__)
    return [Variable(model, field) for model in ordered for field in model.model_fields]


def whole(text: str) -> str:
    return _WHOLE.sub("", text)


def shown(value: object) -> str:
    """A value as a document shows it."""
    return f"`{value}`" if isinstance(value, str) else f"`{whole(json.dumps(value))}`"


def _import_all(package: str) -> None:
    path = getattr(importlib.import_module(package), "__path__", ())
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)
