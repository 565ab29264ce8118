"""What a page is made of, in one number."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

# Confluence gives every macro an id and a version of its own, which say nothing about the content.
_OF_CONFLUENCE: Final = re.compile(r' (?:ac:macro-id|ac:schema-version|ac:local-id|local-id)="[^"]*"')


def content_hash(title: str, storage: str, files: Mapping[str, str]) -> str:
    """Of a page with these files, which are named with their own hashes."""
    told = json.dumps([title, storage, sorted(files.items())], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def body_hash(storage: str) -> str:
    """Of a body as Confluence keeps it."""
    return hashlib.sha256(_OF_CONFLUENCE.sub("", storage).strip().encode("utf-8", "replace")).hexdigest()


def file_hash(content: bytes) -> str:
    """Of a file."""
    return hashlib.sha256(content).hexdigest()
