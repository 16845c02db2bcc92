"""Blobs in a local folder, in memory, or in a bucket of any store that obstore speaks to."""

from backend.adapters.blob_stores.object_store.store import ObjectBlobStore

__all__ = ["ObjectBlobStore"]
