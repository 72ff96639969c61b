"""Documents of one kind (queues, policies, …), by name, in memory and in the store."""

from __future__ import annotations

from typing import Any

from local_batch.names import arn, short
from local_batch.store import Store

Document = dict[str, Any]


class Shelf:
    """All documents of a kind. A name or an ARN finds one."""

    def __init__(self, store: Store, kind: str) -> None:
        self.kind = kind
        self._store = store
        self._documents = store.documents(kind)

    def find(self, name_or_arn: str) -> Document | None:
        """Return a document, or nothing."""
        return self._documents.get(short(name_or_arn, self.kind))

    def put(self, name: str, document: Document) -> None:
        """Keep a document under its name."""
        self._documents[name] = document
        self._store.put(self.kind, name, document)

    def delete(self, name: str) -> None:
        """Forget a document."""
        del self._documents[name]
        self._store.delete(self.kind, name)

    def all(self) -> list[Document]:
        """Return all documents, oldest name first."""
        return list(self._documents.values())

    def named(self, names: list[str] | None) -> list[Document]:
        """Return the documents of these names or ARNs, or all; unknown ones are left out."""
        if not names:
            return self.all()
        return [found for name in names if (found := self.find(name)) is not None]

    def arn(self, region: str, name: str) -> str:
        """Return the ARN of a document."""
        return arn(region, f"{self.kind}/{name}")
