"""Run folders: their names, their files, and how these are read and written."""

from perfsuite.artifacts.atomic import replacing, sha256_of
from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.layout import Artifact, JsonArtifact
from perfsuite.artifacts.run_id import RunId, proposed_run_id
from perfsuite.artifacts.store import RunStore

__all__ = ["Artifact", "JsonArtifact", "RunFolder", "RunId", "RunStore", "proposed_run_id", "replacing", "sha256_of"]
