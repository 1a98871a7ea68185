"""Stored metadata against a schema, without torch and without the data."""

from graphdsl.data.holdings import StoredHoldings
from graphdsl.data.validation.attributes import check_attributes
from graphdsl.data.validation.counts import check_counts
from graphdsl.data.validation.presence import check_presence
from graphdsl.model import Metadata, Schema
from graphdsl.text import Diagnostic, order

METADATA_CHECKS = (check_presence, check_counts, check_attributes)


def validate_metadata(schema: Schema, metadata: Metadata) -> tuple[Diagnostic, ...]:
    """Compare metadata with the schema that its data is to serve: types, attributes, widths, dtypes, rows.

    Args:
        schema: what a spec declares.
        metadata: as `graphdsl.data.inspect` makes it or `read_metadata` reads it.

    Returns:
        All findings of the tier `metadata`, ordered by their places in the spec.

    >>> import graphdsl
    >>> spec = graphdsl.loads("schema s { node a { x: float[3] } }")
    >>> from graphdsl.model import StoreInfo, TensorInfo
    >>> held = Metadata({"a": StoreInfo(5, {"x": TensorInfo((5, 4), "float32")})}, {})
    >>> [item.message for item in validate_metadata(spec.schema(), held)]
    ['`a.x` has 4 columns, the schema says 3']
    """
    held = StoredHoldings(metadata)
    return order(finding for check in METADATA_CHECKS for finding in check(schema, held))
